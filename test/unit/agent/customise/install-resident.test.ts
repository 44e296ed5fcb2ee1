import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, it, type TestContext } from "node:test";
import { execa } from "execa";
import { customise } from "../../../../agent/customise/customise.ts";
import { assertDetached } from "../../../assert-detached.ts";
import { requires } from "../../../requirements.ts";
import { anElf } from "../../proto/system/an-elf.ts";
import type { LoopDevice } from "../disk/a-loop-device.ts";
import { aDiskWithSystem, root, stamp } from "./a-disk-with-system.ts";

const mebibyte = 1 << 20;
const loader = "/lib/ld-linux-aarch64.so.1";
const arm64 = anElf({ machine: "arm64", interpreter: loader, sizeBytes: 64 * 1024 });

type Content = Readonly<Record<string, string | Buffer | { readonly linkTo: string }>>;

const systemd: Content = {
  lib: { linkTo: "usr/lib" },
  sbin: { linkTo: "usr/sbin" },
  "usr/sbin/init": { linkTo: "/lib/systemd/systemd" },
  "usr/lib/systemd/systemd": arm64,
  "usr/lib/ld-linux-aarch64.so.1": arm64,
  "etc/hostname": "pi\n",
};
const busybox: Content = {
  lib: { linkTo: "usr/lib" },
  bin: { linkTo: "usr/bin" },
  "sbin/init": { linkTo: "../bin/busybox" },
  "usr/bin/busybox": anElf({ machine: "arm64" }),
  "usr/lib/ld-linux-aarch64.so.1": arm64,
  "etc/inittab": "::sysinit:/etc/init.d/rcS\n::ctrlaltdel:/sbin/reboot\n",
};

/** A disk that holds such a system, and a program to install. */
async function aSystem(test: TestContext, content: Content, program: Buffer | string = arm64) {
  const disk = await aDiskWithSystem(test, root, async (folder) => {
    for (const [name, what] of Object.entries(content)) {
      const file = path.join(folder, name);
      await mkdir(path.dirname(file), { recursive: true });
      if (typeof what === "string" || Buffer.isBuffer(what)) await writeFile(file, what);
      else await symlink(what.linkTo, file);
    }
  });
  const residentProgram = path.join(disk.folder, "pallet-agent");
  await writeFile(residentProgram, program);
  await chmod(residentProgram, 0o600);
  return { disk, request: { device: disk.path, root, stamp, resident: true, residentProgram } };
}

/**
 * Inspects the filesystem on the disk: a copy, mounted read-only. Another test may just then make itself a mount
 * namespace with this mount in it; of the disk itself, the next mount would then be read-only too.
 */
async function inspectCopy<T>(disk: LoopDevice, inspect: (folder: string) => Promise<T>): Promise<T> {
  const seen = await mkdtemp(path.join(disk.folder, "seen-"));
  const [copy, folder] = [path.join(seen, "root.img"), path.join(seen, "mounted")];
  const [skip, count] = [root.offsetBytes / mebibyte, root.lengthBytes / mebibyte];
  await execa("dd", [`if=${disk.path}`, `of=${copy}`, "bs=1M", `skip=${skip}`, `count=${count}`, "status=none"]);
  await mkdir(folder);
  await execa("mount", ["-o", "ro,loop", copy, folder]);
  try {
    return await inspect(folder);
  } finally {
    await execa("umount", [folder]);
  }
}

/** Every file with its type, mode, owner and target, and a digest of all content. */
async function listTree(folder: string): Promise<string[]> {
  const { stdout } = await execa("find", [folder, "-printf", "%P %y %#m %U:%G %l\n"]);
  return stdout
    .split("\n")
    .filter((line) => !line.startsWith("lost+found") && !line.startsWith(" "))
    .sort();
}

describe("installing the resident agent", requires("root", "loop devices"), () => {
  for (const identity of ["an identity", undefined])
    it(`places ${identity ?? "no identity"} for it, root's alone, and not the one that the image brought along`, async (test) => {
      const file = "etc/pallet/identity/agent.pem";
      const { disk, request } = await aSystem(test, {
        ...systemd,
        [file]: "of the node that this image was taken from",
      });
      await customise({ ...request, residentIdentity: async () => identity });
      await inspectCopy(disk, async (folder) => {
        const found = await readFile(path.join(folder, file), "utf8").catch(() => undefined);
        assert.equal(found, identity);
        if (identity === undefined) return;
        const { mode, uid } = await stat(path.join(folder, file));
        assert.deepEqual([mode & 0o777, uid], [0o600, 0]);
      });
    });

  it("puts program, unit and stamp into a system with systemd, and touches nothing else", async (test) => {
    const { disk, request } = await aSystem(test, systemd);
    const before = await inspectCopy(disk, listTree);
    await customise(request);
    await inspectCopy(disk, async (folder) => {
      const added = (await listTree(folder)).filter((line) => !before.includes(line));
      assert.deepEqual(added, [
        "etc/pallet d 0755 0:0 ",
        "etc/pallet/installed.json f 0644 0:0 ",
        "etc/systemd d 0755 0:0 ",
        "etc/systemd/system d 0755 0:0 ",
        "etc/systemd/system/multi-user.target.wants d 0755 0:0 ",
        "etc/systemd/system/multi-user.target.wants/pallet-agent.service l 0777 0:0 ../pallet-agent.service",
        "etc/systemd/system/multi-user.target.wants/pallet-tasks.path l 0777 0:0 ../pallet-tasks.path",
        "etc/systemd/system/multi-user.target.wants/pallet-tasks.service l 0777 0:0 ../pallet-tasks.service",
        "etc/systemd/system/pallet-agent.service f 0644 0:0 ",
        "etc/systemd/system/pallet-tasks.path f 0644 0:0 ",
        "etc/systemd/system/pallet-tasks.service f 0644 0:0 ",
        "usr/lib/pallet d 0755 0:0 ",
        "usr/lib/pallet/agent f 0755 0:0 ",
      ]);
      assert.ok(arm64.equals(await readFile(path.join(folder, "usr/lib/pallet/agent"))));
      assert.equal(await readFile(path.join(folder, "etc/hostname"), "utf8"), "pi\n");
      assert.deepEqual(JSON.parse(await readFile(path.join(folder, "etc/pallet/installed.json"), "utf8")), stamp);
    });
  });

  it("adds one line to the inittab of a system with busybox's init", async (test) => {
    const { disk, request } = await aSystem(test, busybox);
    await customise(request);
    await inspectCopy(disk, async (folder) => {
      assert.equal(
        await readFile(path.join(folder, "etc/inittab"), "utf8"),
        `${busybox["etc/inittab"]}::respawn:/usr/lib/pallet/agent --role resident\n`,
      );
      assert.ok(arm64.equals(await readFile(path.join(folder, "usr/lib/pallet/agent"))));
    });
  });

  for (const [name, content] of Object.entries({ systemd, busybox })) {
    it(`replaces what an earlier agent installed, with ${name}`, async (test) => {
      const { disk, request } = await aSystem(test, {
        ...content,
        "usr/lib/pallet/agent": "old",
        "usr/lib/pallet/.agent.pallet-new": "half",
        ...(name === "systemd" && { "etc/systemd/system/pallet-agent.service": { linkTo: "/dev/null" } }),
      });
      await customise(request);
      const once = await inspectCopy(disk, listTree);
      await customise(request);
      await inspectCopy(disk, async (folder) => {
        assert.deepEqual(await listTree(folder), once);
        assert.deepEqual(await readdir(path.join(folder, "usr/lib/pallet")), ["agent"]);
        assert.ok(arm64.equals(await readFile(path.join(folder, "usr/lib/pallet/agent"))));
      });
    });
  }

  it("installs a script into a system of any architecture", async (test) => {
    const { disk, request } = await aSystem(test, { ...busybox, "usr/bin/busybox": "" }, "#!/bin/sh\n");
    await customise(request);
    await inspectCopy(disk, async (folder) => {
      assert.equal(await readFile(path.join(folder, "usr/lib/pallet/agent"), "utf8"), "#!/bin/sh\n");
    });
  });

  const refusals: readonly (readonly [string, Content, string, RegExp, Buffer?])[] = [
    [
      "of another architecture",
      { ...systemd, "usr/lib/systemd/systemd": anElf({ machine: "arm" }) },
      "unsupported",
      /32-bit ARM/,
    ],
    [
      "with another C library",
      { ...systemd, "usr/lib/ld-linux-aarch64.so.1": { linkTo: "musl.so" } },
      "unsupported",
      /glibc/,
    ],
    ["without a known init", { ...systemd, "usr/sbin/init": { linkTo: "runit-init" } }, "unsupported", /--no-resident/],
    ["that is full", systemd, "too-small", /MiB more are needed/, Buffer.concat([arm64, Buffer.alloc(16 * mebibyte)])],
    ["whose /usr leads elsewhere", { ...busybox, "usr/lib/pallet": { linkTo: "/tmp" } }, "invalid", /symbolic link\?/],
    [
      "whose folder of units leads elsewhere",
      { ...systemd, "etc/systemd": { linkTo: "/tmp" } },
      "invalid",
      /symbolic link\?/,
    ],
  ];
  for (const [title, content, reason, message, program] of refusals) {
    it(`refuses a system ${title}, and leaves no stamp in it`, async (test) => {
      const { disk, request } = await aSystem(test, content, program);
      await assert.rejects(customise(request), { reason, message });
      await inspectCopy(disk, async (folder) => {
        await assert.rejects(readFile(path.join(folder, "etc/pallet/installed.json")), { code: "ENOENT" });
      });
      await assertDetached(disk.path);
    });
  }

  it("follows no link at the names that it writes", async (test) => {
    const { disk, request } = await aSystem(test, {
      ...busybox,
      "usr/lib/pallet/agent": { linkTo: "/usr/bin/busybox" },
      "usr/lib/pallet/.agent.pallet-new": { linkTo: "/usr/bin/busybox" },
    });
    await customise(request);
    await inspectCopy(disk, async (folder) => {
      assert.ok(arm64.equals(await readFile(path.join(folder, "usr/lib/pallet/agent"))));
      assert.ok(anElf({ machine: "arm64" }).equals(await readFile(path.join(folder, "usr/bin/busybox"))));
    });
  });

  it("stops while it copies when it is cancelled, and leaves no half program", async (test) => {
    const { disk, request } = await aSystem(test, systemd, Buffer.concat([arm64, Buffer.alloc(8 * mebibyte)]));
    const abort = new AbortController();
    const done = customise({ ...request, signal: abort.signal });
    // Not by another thread: on a busy machine that may answer when all is copied.
    const timer = setInterval(() => {
      if (readFileSync("/proc/self/mountinfo", "utf8").includes(`customise-${disk.name}-`)) abort.abort();
    }, 1);
    await assert.rejects(done, { reason: "cancelled" }).finally(() => clearInterval(timer));
    await inspectCopy(disk, async (folder) => {
      assert.deepEqual(await readdir(path.join(folder, "usr/lib/pallet")).catch(() => []), []);
    });
  });

  it("needs a program", async (test) => {
    const { request } = await aSystem(test, systemd);
    await assert.rejects(customise({ ...request, residentProgram: undefined }), {
      reason: "unsupported",
      message: /--resident-program/,
    });
  });
});
