// The same root filesystems, given to both who put an agent into one: the controller that bakes it into what nodes
// netboot into, and the agent that installs it into a new system. What one takes, the other takes, and starts in the
// same way.
import assert from "node:assert/strict";
import { lstat, mkdir, mkdtemp, readFile, readlink, rm, symlink, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { installResident } from "../../../../agent/customise/install-resident.ts";
import { bakeRootfs } from "../../../../controller/rootfs/bake-rootfs.ts";
import { anElf } from "./an-elf.ts";

type Content = Readonly<Record<string, string | Buffer | { readonly linkTo: string }>>;

const loader = "/lib/ld-linux-aarch64.so.1";
const script = "#!/bin/sh\n";
const agent = anElf({ machine: "arm64", interpreter: loader });
const native = anElf({ machine: "arm64" });
const glibc: Content = { "usr/lib/ld-linux-aarch64.so.1": native, "usr/bin/sh": native };
const merged: Content = {
  bin: { linkTo: "usr/bin" },
  lib: { linkTo: "usr/lib" },
  sbin: { linkTo: "usr/sbin" },
  ...glibc,
};
const debian: Content = {
  ...merged,
  "usr/sbin/init": { linkTo: "../lib/systemd/systemd" },
  "usr/lib/systemd/systemd": native,
};
const inittab = "::sysinit:/etc/init.d/rcS\n";
const alpine: Content = {
  "sbin/init": { linkTo: "/bin/busybox" },
  "bin/sh": { linkTo: "/bin/busybox" },
  "bin/busybox": native,
  "lib/ld-linux-aarch64.so.1": native,
  "etc/inittab": inittab,
};
const devuan: Content = { ...merged, "usr/sbin/init": native, "etc/inittab": "id:2:initdefault:\n" };
const without = (content: Content, ...names: readonly string[]): Content =>
  Object.fromEntries(Object.entries(content).filter(([name]) => !names.includes(name)));

type Row = readonly [name: string, root: Content, program: string | Buffer, outcome: string];
const rows: readonly Row[] = [
  ["Debian", debian, agent, "systemd"],
  ["Debian with an old inittab", { ...debian, "etc/inittab": inittab }, agent, "systemd"],
  [
    "Debian before /usr was merged",
    {
      "sbin/init": { linkTo: "/lib/systemd/systemd" },
      "lib/systemd/systemd": native,
      "lib/ld-linux-aarch64.so.1": native,
    },
    agent,
    "systemd",
  ],
  ["systemd without /sbin/init", without(debian, "usr/sbin/init"), agent, "systemd"],
  [
    "Debian with the unit of the other role",
    { ...debian, "etc/systemd/system/pallet-agent.service": "x" },
    agent,
    "systemd",
  ],
  ["Alpine with glibc's loader", alpine, agent, "busybox"],
  [
    "a static busybox",
    { ...alpine, "sbin/init": { linkTo: "../bin/busybox-static" }, "bin/busybox-static": native },
    agent,
    "busybox",
  ],
  ["busybox's init without an inittab", without(alpine, "etc/inittab"), agent, "refused"],
  ["Devuan", devuan, agent, "sysvinit"],
  [
    "Devuan that held the agent in either role",
    {
      ...devuan,
      "etc/inittab": "plt:2345:respawn:/usr/bin/pallet-agent\nplt:2345:respawn:/usr/lib/pallet/agent --role resident\n",
    },
    agent,
    "sysvinit",
  ],
  ["an init without an inittab", without(devuan, "etc/inittab"), agent, "refused"],
  [
    "openrc-init",
    { ...devuan, "usr/sbin/init": { linkTo: "openrc-init" }, "usr/sbin/openrc-init": native },
    agent,
    "refused",
  ],
  ["runit", { ...merged, "usr/sbin/init": { linkTo: "runit-init" }, "usr/sbin/runit-init": native }, agent, "refused"],
  ["an init that leads nowhere", { ...merged, "usr/sbin/init": { linkTo: "nowhere" } }, agent, "refused"],
  ["nothing that starts", merged, agent, "refused"],
  ["a 32-bit system", { ...debian, "usr/lib/systemd/systemd": anElf({ machine: "arm" }) }, agent, "refused"],
  ["a system for a PC", { ...debian, "usr/lib/systemd/systemd": anElf({ machine: "x64" }) }, agent, "refused"],
  ["another C library", without(debian, "usr/lib/ld-linux-aarch64.so.1"), agent, "refused"],
  ["another C library, for a static agent", without(debian, "usr/lib/ld-linux-aarch64.so.1"), native, "systemd"],
  ["no binaries", { ...debian, "usr/lib/systemd/systemd": "", "usr/bin/sh": "" }, agent, "refused"],
  ["no binaries, for a script", { ...debian, "usr/lib/systemd/systemd": "", "usr/bin/sh": "" }, script, "systemd"],
  ["another C library, for a script", without(debian, "usr/lib/ld-linux-aarch64.so.1"), script, "systemd"],
  ["Debian, for a text", debian, "not a program\n", "refused"],
  ["Debian, for an empty file", debian, "", "refused"],
  ["Debian, for a big-endian program", debian, Buffer.from(agent).fill(2, 5, 6), "refused"],
];

describe("an agent that is put into a root filesystem", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), "pallet-both-sides-"));
  });
  after(() => rm(folder, { recursive: true }));

  const aRoot = async (content: Content): Promise<string> => {
    const root = await mkdtemp(path.join(folder, "root-"));
    await Promise.all(["etc", "usr"].map((name) => mkdir(path.join(root, name))));
    for (const [name, what] of Object.entries(content)) {
      const file = path.join(root, name);
      await mkdir(path.dirname(file), { recursive: true });
      if (typeof what === "string" || Buffer.isBuffer(what)) await writeFile(file, what);
      else await symlink(what.linkTo, file);
    }
    return root;
  };

  /** Which init system starts a program there, told by what was placed. */
  const startedBy = async (root: string, program: string): Promise<string> => {
    const wants = path.join(root, "etc/systemd/system/multi-user.target.wants/pallet-agent.service");
    if ((await lstat(wants).catch(() => undefined)) !== undefined) {
      assert.equal(await readlink(wants), "../pallet-agent.service");
      assert.match(await readFile(wants, "utf8"), new RegExp(`^ExecStart=${program}( |$)`, "m"));
      return "systemd";
    }
    const lines = (await readFile(path.join(root, "etc/inittab"), "utf8")).split("\n");
    const ours = lines.filter((line) => /pallet/.test(line));
    assert.equal(ours.length, 1, `one line for the agent: ${ours}`);
    const [, id = "?", started] = /^(\w*):\d*:respawn:(\S+)/.exec(ours[0] ?? "") ?? [];
    assert.equal(started, program);
    return id === "" ? "busybox" : "sysvinit";
  };

  const sides: readonly (readonly [string, string, (root: string, program: string) => Promise<unknown>])[] = [
    ["the controller", "/usr/bin/pallet-agent", (target, agentFile) => bakeRootfs({ target, agentFile })],
    ["the agent", "/usr/lib/pallet/agent", (root, program) => installResident({ root, program })],
  ];

  for (const [name, content, program, outcome] of rows) {
    for (const [side, place, put] of sides) {
      it(`of ${name}: by ${side}, ${outcome}`, async () => {
        const root = await aRoot(content);
        const file = path.join(folder, "agent");
        await writeFile(file, program);
        if (outcome === "refused") {
          await assert.rejects(put(root, file), { name: "Failure", reason: /^(unsupported|invalid)$/ });
          await assert.rejects(lstat(path.join(root, place)), { code: "ENOENT" });
          return;
        }
        await put(root, file);
        assert.equal(await startedBy(root, place), outcome);
        assert.deepEqual(await readFile(path.join(root, place)), Buffer.from(program));
      });
    }
  }
});
