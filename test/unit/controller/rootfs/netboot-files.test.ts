import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { after, before, beforeEach, describe, it } from "node:test";
import { gzipSync, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { bakeRootfs } from "../../../../controller/rootfs/bake-rootfs.ts";
import { openForeignModules } from "../../../../controller/rootfs/copy-foreign-modules.ts";
import { findOwnKernel } from "../../../../controller/rootfs/find-own-kernel.ts";
import { makeNetbootFiles } from "../../../../controller/rootfs/make-netboot-files.ts";
import { readKernelRelease } from "../../../../controller/rootfs/read-kernel-release.ts";
import { rootTree } from "../../../../controller/rootfs/root-tree.ts";
import { selectNetworkModules } from "../../../../controller/rootfs/select-network-modules.ts";

const release = "6.12.47+rpt-rpi-v8";

/** What the head of an arm64 Image looks like, with a banner somewhere behind it. */
function aKernel(of = release): Buffer {
  const image = Buffer.alloc(4096, 7);
  image.write("ARM\x64", 56, "latin1");
  image.write(`Linux version ${of} (serge@raspberrypi.com) (aarch64-linux-gnu-gcc-12)`, 2000);
  return image;
}

const index = (modules: readonly string[], builtin: readonly string[]) => ({
  paths: new Map(modules.map((name) => [name, `kernel/${name}.ko`])),
  dependencies: new Map(modules.map((name) => [`kernel/${name}.ko`, []])),
  builtin: new Set(builtin),
});

describe("a kernel that nodes are to netboot", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "pallet-kernel-"));
  });
  after(() => rm(folder, { recursive: true }));
  const read = async (bytes: Buffer) => {
    await writeFile(join(folder, "kernel"), bytes);
    return readKernelRelease(join(folder, "kernel"), "kernel8.img");
  };
  for (const [what, bytes, found] of [
    ["a plain Image", aKernel(), release],
    ["an Image in gzip, as Raspberry Pi OS has it", gzipSync(aKernel()), release],
    ["one with a pattern before its release", Buffer.concat([aKernel("%s").subarray(0, 3000), aKernel()]), release],
  ] as const)
    it(`says its release: ${what}`, async () => assert.equal(await read(bytes), found));

  for (const [what, bytes, reason] of [
    ["an EFI zboot image", Buffer.concat([Buffer.from("MZ\0\0zimg"), Buffer.alloc(100)]), "unsupported"],
    ["a 32-bit zImage", Buffer.alloc(100, 1), "unsupported"],
    ["one without a release", aKernel().subarray(0, 1000), "unsupported"],
    ["half a gzip file", gzipSync(aKernel()).subarray(0, 100), "image-damaged"],
    ["an empty file", Buffer.alloc(0), "unsupported"],
  ] as const)
    it(`is refused: ${what}`, () => assert.rejects(read(bytes), { reason }));
});

describe("the modules for a root on the network", () => {
  const needed = ["nfs", "nfsv3", "overlay"];
  for (const [what, modules, builtin, lacking] of [
    ["all as modules", [...needed, "genet", "smsc95xx", "lan78xx"], [], []],
    [
      "some built in, as Raspberry Pi's kernel has them",
      ["overlay", "lan78xx"],
      ["nfs", "nfsv3", "genet", "smsc95xx"],
      [],
    ],
    ["no NFS", ["overlay", "genet"], [], ["nfs", "nfsv3"]],
    ["no overlay", ["nfs", "nfsv3", "genet"], [], ["overlay"]],
    ["no network", needed, [], ["any Ethernet driver"]],
    ["nothing", [], [], ["nfs", "nfsv3", "overlay", "any Ethernet driver"]],
  ] as const)
    it(`of a kernel with ${what}`, () => {
      const selected = selectNetworkModules(index(modules, builtin));
      assert.deepEqual(selected.lacking, lacking);
      assert.deepEqual(
        selected.modules.filter((name) => !(modules as readonly string[]).includes(name)),
        [],
      );
    });

  it("tells the boards whose Ethernet has no driver", () => {
    const { withoutEthernet } = selectNetworkModules(index([...needed, "genet"], []));
    assert.deepEqual(withoutEthernet, ["Raspberry Pi 2 and 3B", "Raspberry Pi 3B+"]);
  });
});

describe("a root filesystem that somebody else built", () => {
  let folder: string;
  let root: string;
  let tools: string;
  let agentFile: string;
  const givenPath = process.env["PATH"];
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "pallet-netboot-"));
    agentFile = join(folder, "agent");
    await writeFile(agentFile, "#!/bin/sh\n");
    tools = join(folder, "tools");
    for (const path of ["bin/busybox", "lib/klibc/bin/ipconfig", "lib/klibc/bin/nfsmount", "lib/klibc-x.so"])
      await write(path, "a program", join(tools, "usr"));
    // These modules are none, which depmod would complain about.
    await write("depmod", "#!/bin/sh\n", join(folder, "bin"));
    await chmod(join(folder, "bin/depmod"), 0o755);
    process.env["PATH"] = `${folder}/bin:${givenPath}`;
  });
  after(async () => {
    process.env["PATH"] = givenPath;
    await rm(folder, { recursive: true });
  });
  async function write(path: string, content: string | Buffer, base = root): Promise<void> {
    await mkdir(dirname(join(base, path)), { recursive: true });
    await writeFile(join(base, path), content);
  }
  const modulesDep = (more = "") =>
    ["nfs", "nfsv3", "overlay", "genet"].map((name) => `kernel/${name}.ko.zst:`).join("\n") + more;
  beforeEach(async () => {
    root = await mkdtemp(join(folder, "root-"));
    await write("etc/fstab", "");
    await write("boot/firmware/kernel8.img", gzipSync(aKernel()));
    await write("boot/firmware/bcm2711-rpi-4-b.dtb", "a device tree");
    await write("usr/lib/systemd/systemd", "");
    await symlink("usr/lib", join(root, "lib"));
    const modules = `usr/lib/modules/${release}`;
    for (const name of ["nfs", "nfsv3", "overlay", "genet"])
      await write(`${modules}/kernel/${name}.ko.zst`, zstdCompressSync(Buffer.from(`module ${name}`)));
    await write(`${modules}/modules.dep`, modulesDep());
    await write(`${modules}/modules.builtin`, "");
  });
  const make = async (out: string) => {
    await mkdir(out);
    return makeNetbootFiles({
      ...(await findOwnKernel(root)),
      rootFolder: root,
      initramfsTools: async () => tools,
      outFolder: out,
    });
  };

  it("gets its own kernel, its own modules in our initial RAM disk, and its device trees", async () => {
    const out = join(root, "out");
    const { manifest, notes } = await make(out);
    assert.deepEqual((await readdir(out)).toSorted(), ["device-trees", "initrd.img", "vmlinuz"]);
    assert.deepEqual(
      [manifest.kernelRelease, manifest.rootModules, manifest.initrdModules],
      [release, [release], release],
    );
    assert.deepEqual(await readFile(join(out, "vmlinuz")), await readFile(join(root, "boot/firmware/kernel8.img")));
    assert.deepEqual(await readdir(join(out, "device-trees")), ["bcm2711-rpi-4-b.dtb"]);
    const archive = zstdDecompressSync(await readFile(join(out, "initrd.img"))).toString("latin1");
    assert.match(archive, new RegExp(`lib/modules/${release.replaceAll("+", "\\+")}/kernel/nfs\\.ko\0`));
    assert.ok(archive.includes("module overlay"), "unpacked, for busybox's insmod");
    assert.deepEqual(
      notes.filter((note) => note.includes("Pi 4")),
      [],
    );
    assert.equal(notes.filter((note) => note.includes("Raspberry Pi 3B+")).length, 1);
  });

  for (const [what, spoil, message] of [
    [
      "has a kernel without its modules",
      () => rm(join(root, `usr/lib/modules/${release}`), { recursive: true }),
      /lacks the modules of its own kernel/,
    ],
    [
      "has the modules of another kernel",
      () => write("boot/firmware/kernel8.img", aKernel("9.9.9")),
      /lacks the modules of its own kernel/,
    ],
    [
      "has no NFS",
      () => write(`usr/lib/modules/${release}/modules.dep`, "kernel/genet.ko.zst:\n"),
      /lacks nfs, nfsv3, overlay/,
    ],
    ["has a 32-bit kernel", () => write("boot/firmware/kernel8.img", "zImage"), /not one that nodes can netboot/],
    ["has no kernel", () => rm(join(root, "boot"), { recursive: true }), /has no kernel/],
  ] as const)
    it(`is refused when it ${what}, and is left as it is`, async () => {
      await spoil();
      const out = join(root, "out");
      await assert.rejects(bake(out), message);
      await assert.rejects(readFile(join(root, "usr/bin/pallet-agent")), "no agent was baked in");
      await assert.rejects(readdir(out));
    });

  const bake = (out: string) => {
    const archive = {
      cacheDirectory: folder,
      suite: "bookworm",
      mirror: "http://127.0.0.1:9",
      refresh: false,
      log: () => {},
    };
    return bakeRootfs({ target: root, agentFile, outDirectory: out, archive });
  };

  for (const [what, path, spoil] of [
    ["a list that leads out of it", "../../../../../etc/secret", () => write("etc/secret", "x")],
    [
      "a link that leads to another file",
      "kernel/evil.ko",
      () => symlink("/etc/fstab", join(root, `usr/lib/modules/${release}/kernel/evil.ko`)),
    ],
    ["a list of what is not there", "kernel/none.ko", () => Promise.resolve()],
  ] as const)
    it(`gives nothing away that is no module, by ${what}`, async () => {
      await spoil();
      await write(`usr/lib/modules/${release}/modules.dep`, modulesDep(`\n${path}:\n`));
      const modules = await openForeignModules(rootTree(root), root, release);
      const name = path.replace(/^.*\//, "").replace(".ko", "");
      await assert.rejects(modules.copy([name], join(root, "copy")), { reason: "image-damaged" });
    });
});
