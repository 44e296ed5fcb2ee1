import assert from "node:assert/strict";
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { bakeRootfs } from "../../../../controller/rootfs/bake-rootfs.ts";
import { checkAgent } from "../../../../controller/rootfs/check-agent.ts";
import { rootTree } from "../../../../controller/rootfs/root-tree.ts";
import { Failure } from "../../../../proto/failure.ts";
import { anElf } from "../../proto/system/an-elf.ts";

describe("baking into a folder", () => {
  let folder: string;
  let root: string;
  let agentFile: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "pallet-bake-"));
    agentFile = join(folder, "agent");
    await writeFile(agentFile, "#!/bin/sh\necho 1\n");
  });
  after(() => rm(folder, { recursive: true }));
  beforeEach(async () => {
    root = await mkdtemp(join(folder, "root-"));
    await write("etc/fstab", "# card\nPARTUUID=1-02 / ext4 defaults 0 1\n");
  });

  const write = async (path: string, text: string) => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  };
  const read = (path: string) => readFile(join(root, path), "utf8");
  const makeSystemd = async () => {
    await write("usr/lib/systemd/systemd", "");
    await symlink("usr/lib", join(root, "lib"));
    await mkdir(join(root, "sbin"));
    await symlink("/lib/systemd/systemd", join(root, "sbin/init"));
  };
  /** Every file with its content or target. */
  const snapshot = async () => {
    const entries = await readdir(root, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
    return Promise.all(
      files.toSorted().map(async (path) => {
        const { mode } = await lstat(path);
        return [path, mode, await readlink(path).catch(() => readFile(path, "utf8"))];
      }),
    );
  };

  it("puts agent, enabled unit and clean fstab into a system with systemd", async () => {
    await makeSystemd();
    assert.equal((await bakeRootfs({ target: root, agentFile })).initSystem, "systemd");
    assert.equal(await read("usr/bin/pallet-agent"), await readFile(agentFile, "utf8"));
    assert.equal((await lstat(join(root, "usr/bin/pallet-agent"))).mode & 0o7777, 0o755);
    assert.match(await read("etc/systemd/system/pallet-agent.service"), /^ExecStart=\/usr\/bin\/pallet-agent$/m);
    const wants = join(root, "etc/systemd/system/multi-user.target.wants/pallet-agent.service");
    assert.equal(await readlink(wants), "../pallet-agent.service");
    assert.equal(await read("etc/fstab"), "# card\n#pallet# PARTUUID=1-02 / ext4 defaults 0 1\n");
  });

  it("puts a line into the inittab of a system with busybox's init", async () => {
    await write("etc/inittab", "::sysinit:/etc/init.d/rcS\n");
    await write("bin/busybox", "");
    await mkdir(join(root, "sbin"));
    await symlink("/bin/busybox", join(root, "sbin/init"));
    assert.equal((await bakeRootfs({ target: root, agentFile })).initSystem, "busybox");
    assert.equal(await read("etc/inittab"), "::sysinit:/etc/init.d/rcS\n::respawn:/usr/bin/pallet-agent\n");
  });

  it("makes /sbin/init in a system with systemd that lacks it: the initial RAM disk starts nothing else", async () => {
    await write("usr/lib/systemd/systemd", "");
    await symlink("usr/sbin", join(root, "sbin"));
    assert.equal((await bakeRootfs({ target: root, agentFile })).initSystem, "systemd");
    assert.equal(await readlink(join(root, "usr/sbin/init")), "/usr/lib/systemd/systemd");
  });

  it("changes nothing the second time, and puts in a newer agent the third", async () => {
    await makeSystemd();
    await bakeRootfs({ target: root, agentFile });
    const once = await snapshot();
    await bakeRootfs({ target: root, agentFile });
    assert.deepEqual(await snapshot(), once);
    const newer = join(folder, "newer");
    await writeFile(newer, "#!/bin/sh\necho 2\n");
    await bakeRootfs({ target: root, agentFile: newer });
    assert.equal(await read("usr/bin/pallet-agent"), "#!/bin/sh\necho 2\n");
    assert.equal((await snapshot()).length, once.length);
  });

  it("never leaves the folder through its links", async () => {
    await makeSystemd();
    const outside = join(folder, "outside");
    await mkdir(outside);
    await mkdir(join(root, "usr/bin"), { recursive: true });
    await symlink(outside, join(root, "etc/systemd"));
    await symlink(agentFile, join(root, "usr/bin/pallet-agent"));
    await bakeRootfs({ target: root, agentFile });
    assert.deepEqual(await readdir(outside), []);
    assert.ok((await lstat(join(root, "usr/bin/pallet-agent"))).isFile());
    assert.match(await readFile(join(root, outside, "system/pallet-agent.service"), "utf8"), /Pallet agent/);
  });

  const refused: readonly (readonly [name: string, target: () => string, message: RegExp])[] = [
    ["what does not exist", () => join(folder, "nowhere"), /does not exist/],
    ["a folder without /etc", () => join(folder, "empty"), /is not a root filesystem/],
    ["a device", () => "/dev/null", /neither a folder nor an image/],
    ["a root without an init system", () => root, /no init system/],
  ];
  for (const [name, target, message] of refused)
    it(`refuses ${name}`, async () => {
      await mkdir(join(folder, "empty"), { recursive: true });
      await assert.rejects(bakeRootfs({ target: target(), agentFile }), message);
    });
});

describe("the agent's program", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "pallet-agent-file-"));
  });
  after(() => rm(folder, { recursive: true }));
  const cases: readonly (readonly [name: string, content: Buffer, refusal?: RegExp])[] = [
    ["for arm64", anElf({ machine: "arm64" })],
    ["that is a script", Buffer.from("#!/bin/sh\n")],
    ["for x86-64", anElf({ machine: "x64" }), /not a program for arm64/],
    ["for a big-endian arm64", anElf({ machine: "arm64" }).fill(2, 5, 6), /not a program for arm64/],
    ["that is empty", Buffer.alloc(0), /not a program for arm64/],
    ["that is a text", Buffer.from("hello"), /not a program for arm64/],
  ];
  for (const [name, content, refusal] of cases)
    it(`${name} is ${refusal ? "refused" : "taken"}`, async () => {
      const path = join(folder, "agent");
      await writeFile(path, content);
      if (refusal) await assert.rejects(checkAgent(path), refusal);
      else await checkAgent(path);
    });
  it("that is missing is refused with the way to make it", async () => {
    await assert.rejects(
      checkAgent(join(folder, "none")),
      (error) => error instanceof Failure && /build:binaries/.test(error.message),
    );
  });
});

describe("paths in a root filesystem", () => {
  it("follow links as the system itself would, and loops end", async () => {
    const root = await mkdtemp(join(tmpdir(), "pallet-tree-"));
    try {
      await mkdir(join(root, "usr/bin"), { recursive: true });
      await writeFile(join(root, "usr/bin/busybox"), "x");
      await chmod(join(root, "usr/bin/busybox"), 0o755);
      await symlink("usr/bin", join(root, "bin"));
      await symlink("/bin/busybox", join(root, "init"));
      await symlink("../../../../bin/busybox", join(root, "above"));
      await symlink("loop", join(root, "loop"));
      const tree = rootTree(root);
      assert.equal(await tree.resolve("/init"), "/usr/bin/busybox");
      assert.equal(await tree.resolve("/above"), "/usr/bin/busybox");
      assert.equal(await tree.resolve("/nothing"), undefined);
      assert.equal(await tree.readText("/init"), "x");
      await assert.rejects(tree.resolve("/loop"), /too many links/);
    } finally {
      await rm(root, { recursive: true });
    }
  });
});
