import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { execa } from "execa";
import { viewOf } from "../../../../../agent/customise/configure-system.ts";
import { extFiles } from "../../../../../controller/images/filesystems/ext-files.ts";
import { examineProfiled, examineSystem } from "../../../../../controller/images/import/examine-system.ts";
import type { Failure } from "../../../../../proto/failure.ts";
import { examineAbilities } from "../../../../../proto/system/config/examine-abilities.ts";
import { judgeResident, type ResidentProgram } from "../../../../../proto/system/judge-resident.ts";
import { hostFrom, type SystemFacts } from "../../../../../proto/system/system-facts.ts";
import { requires } from "../../../../requirements.ts";
import { aRootFilesystem, type RootName, rootFilesystems } from "../../../agent/customise/a-root-filesystem.ts";
import { aHeader, anElf } from "../../../proto/system/an-elf.ts";
import { makeSmallImage, type Tree } from "../small-image.ts";

const glibc = "/lib/ld-linux-aarch64.so.1";
const agent: ResidentProgram = {
  sizeBytes: 1024 * 1024,
  program: { kind: "elf", elf: aHeader("arm64"), interpreter: glibc },
};
const program = anElf({ machine: "arm64", interpreter: glibc });
const debian: Tree = {
  "usr/lib/systemd/systemd": program,
  "usr/bin/dash": program,
  "usr/lib/aarch64-linux-gnu/ld-linux-aarch64.so.1": program,
  "usr/lib/ld-linux-aarch64.so.1": { link: "aarch64-linux-gnu/ld-linux-aarch64.so.1" },
  "usr/bin/sh": { link: "dash" },
  "usr/sbin/init": { link: "../lib/systemd/systemd" },
  lib: { link: "usr/lib" },
  bin: { link: "usr/bin" },
  sbin: { link: "usr/sbin" },
};
const far = `${"../".repeat(30)}usr/lib/systemd/systemd`;

describe("the system of an image, as a plan knows it", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "pallet-system-"));
  });
  after(() => rm(folder, { recursive: true }));

  async function examine(name: string, tree: Tree): Promise<SystemFacts | undefined> {
    const imagePath = join(folder, `${name.replaceAll(/\W/g, "-")}.img`);
    await makeSmallImage(imagePath, [{ filesystem: "ext4", tree }]);
    const place = { imagePath, offsetBytes: 1024 * 1024 };
    return examineSystem(extFiles(place), place);
  }
  async function judge(name: string, tree: Tree): Promise<Failure | undefined> {
    const facts = await examine(name, tree);
    assert.ok(facts);
    return judgeResident(agent, hostFrom(JSON.parse(JSON.stringify(facts))));
  }

  it("is found through links, as the running system follows them", async () => {
    const facts = await examine("debian", debian);
    assert.equal(facts?.init, "/usr/lib/systemd/systemd");
    assert.equal(facts?.systemd, "/usr/lib/systemd/systemd");
    assert.deepEqual(facts?.elf, { bits: 64, machine: 183 });
    assert.equal(facts?.loaders[glibc], true);
    assert.equal(facts?.loaders["/lib/ld-musl-aarch64.so.1"], false);
  });

  it("has as many bytes free as statfs tells of it", async () => {
    const facts = await examine("free", debian);
    const { stdout } = await execa("dumpe2fs", ["-h", `${join(folder, "free.img")}?offset=1048576`]);
    const [blocks, bytes] = ["Free blocks", "Block size"].map(
      (name) => new RegExp(`${name}:\\s+(\\d+)`).exec(stdout)?.[1],
    );
    assert.equal(facts?.freeBytes, Number(blocks) * Number(bytes));
    assert.ok(facts.freeBytes > 4 * 1024 * 1024);
  });

  for (const [title, tree, message] of [
    ["a Debian", debian, undefined],
    [
      "a Debian whose /sbin/init is a link of more than 60 bytes",
      { ...debian, "usr/sbin/init": { link: far } },
      undefined,
    ],
    [
      "32-bit Raspberry Pi OS",
      { ...debian, "usr/lib/systemd/systemd": anElf({ machine: "arm" }) },
      /32-bit ARM system.*--no-resident/,
    ],
    [
      "Alpine",
      {
        "bin/busybox": anElf({ machine: "arm64", interpreter: "/lib/ld-musl-aarch64.so.1" }),
        "bin/sh": { link: "/bin/busybox" },
        "sbin/init": { link: "/bin/busybox" },
        "etc/inittab": "::sysinit:/sbin/openrc sysinit\n",
        "lib/ld-musl-aarch64.so.1": program,
      },
      /C library.*glibc.*--no-resident/,
    ],
    [
      "one that a script starts",
      { ...debian, "usr/sbin/init": "#!/bin/sh\n", "etc/passwd": "" },
      /no init system.*--no-resident/,
    ],
    ["a full one", { ...debian, "var/bulk": Buffer.alloc(4 * 1024 * 1024, 1) }, /no room.*--no-resident/],
  ] as const)
    it(`${message === undefined ? "takes" : "refuses"} a resident agent: ${title}`, async () => {
      const failure = await judge(title, tree);
      if (message === undefined) assert.equal(failure, undefined);
      else assert.match(failure?.message ?? "", message);
    });

  it("is left to the agent where a link leads to a name that no tool may be given", async () => {
    assert.equal(
      await examine("strange", { ...debian, "usr/sbin/init": { link: "/opt/my init" }, "opt/my init": program }),
      undefined,
    );
  });
});

describe("what profiles can change, as a plan knows it", requires("root"), () => {
  for (const name of Object.keys(rootFilesystems) as RootName[])
    it(`is what the agent finds on the card: ${name}`, async (test) => {
      const root = await aRootFilesystem(test, name);
      const imagePath = join(root, "..", "root.img");
      await execa("mke2fs", ["-q", "-t", "ext4", "-d", root, imagePath, "16M"]);
      const known = await examineProfiled(extFiles({ imagePath, offsetBytes: 0 }));
      const found = await examineAbilities(viewOf(root));
      assert.deepEqual(known, found);
      assert.ok(Object.keys(found.units).length > 0);
    });
});
