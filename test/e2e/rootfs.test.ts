// The root filesystem of netbooted nodes: built from Debian's packages; and other systems unpacked and made ready for
// it.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { execa } from "execa";
import { checkoutCache } from "../../controller/artefacts/checkout-cache.ts";
import { parseModuleIndex } from "../../controller/artefacts/kernel-modules.ts";
import { chooseAgentBoot } from "../../controller/boot/choose-agent-boot.ts";
import { selectUnserved } from "../../controller/boot-tree/board-files.ts";
import { buildBootTree } from "../../controller/boot-tree/build-boot-tree.ts";
import { bakeRootfs } from "../../controller/rootfs/bake-rootfs.ts";
import { buildRootfs, type Rootfs } from "../../controller/rootfs/build-rootfs.ts";
import { importRootfs } from "../../controller/rootfs/import-rootfs.ts";
import { readCurrentRoot } from "../../controller/roots/read-roots.ts";
import { parseKernelRelease } from "../../proto/system/parse-kernel-release.ts";
import { buildDemoImage } from "../../scripts/demo-image/build-demo-image.ts";
import { requires } from "../requirements.ts";
import { until } from "../until.ts";
import { archive } from "./debian-archive.ts";

const MiB = 1024 * 1024;

/** A folder for one suite, with a stand-in for the agent. */
async function makeFolder(): Promise<{ folder: string; agentFile: string }> {
  const folder = await mkdtemp(join(tmpdir(), "pallet-rootfs-"));
  const agentFile = join(folder, "agent");
  await writeFile(agentFile, "#!/bin/sh\necho an agent\n");
  return { folder, agentFile };
}

/** Files of a folder that hold machine code, by path in it. */
async function programsOf(root: string): Promise<string[]> {
  const { stdout } = await execa("find", [root, "-xdev", "-type", "f", "-size", "+64c", "-perm", "-u=r"]);
  const programs: string[] = [];
  for (const path of stdout.split("\n").filter((line) => !line.endsWith(".ko")))
    if ((await readFile(path)).toString("latin1", 0, 4) === "\x7fELF") programs.push(path);
  return programs;
}

describe("the root filesystem of netbooted nodes", requires("root"), () => {
  let folder: string;
  let agentFile: string;
  let rootfs: Rootfs;
  const build = (options: { sshKeysFile?: string } = {}) =>
    buildRootfs({ outDirectory: join(folder, "out"), cacheDirectory: checkoutCache("rootfs"), agentFile, ...options });
  before(async () => {
    ({ folder, agentFile } = await makeFolder());
    rootfs = await build();
  });
  after(() => rm(folder, { recursive: true }));
  const at = (path: string) => join(rootfs.rootFolder, path);

  it("is small, its initial RAM disk too", () => {
    assert.ok(rootfs.manifest.root.sizeBytes < 80 * MiB, `${rootfs.manifest.root.sizeBytes} bytes`);
    assert.ok(rootfs.manifest.initrd.sizeBytes < 4 * MiB, `${rootfs.manifest.initrd.sizeBytes} bytes`);
  });

  it("says truly in its manifest what it is made of", async () => {
    const manifest = JSON.parse(await readFile(join(rootfs.folder, "manifest.json"), "utf8"));
    for (const [name, path] of [
      ["kernel", rootfs.kernelPath],
      ["initrd", rootfs.initrdPath],
      ["agent", at("usr/bin/pallet-agent")],
    ] as const) {
      const content = await readFile(path);
      assert.equal(manifest[name].digest, createHash("sha256").update(content).digest("hex"), name);
      assert.equal(manifest[name].sizeBytes, content.length, name);
    }
    assert.equal(manifest.kernelRelease, rootfs.manifest.kernelRelease);
    assert.match(manifest.packages["libc6"], /^2\./);
  });

  it("has a kernel that U-Boot's booti takes, and its modules", async () => {
    // Documentation/arm64/booting.rst: the magic number is at 56.
    assert.equal((await readFile(rootfs.kernelPath)).toString("latin1", 56, 60), "ARMd");
    assert.deepEqual(await readdir(at("usr/lib/modules")), [rootfs.manifest.kernelRelease]);
    const { stdout } = await execa("find", [at("usr/lib/modules"), "-name", "sdhci-iproc.ko"]);
    assert.notEqual(stdout, "");
    assert.ok((await readdir(join(rootfs.folder, "device-trees"))).includes("bcm2837-rpi-3-b.dtb"));
  });

  it("has an initial RAM disk that can mount it over the network of a Pi 3, a Pi 4 and QEMU", async () => {
    const archive = zstdDecompressSync(await readFile(rootfs.initrdPath));
    const names = (await execa("busybox", ["cpio", "-t"], { input: archive })).stdout.split("\n");
    for (const name of [
      "init",
      "bin/busybox",
      "bin/ipconfig",
      "bin/nfsmount",
      "bin/load-drivers",
      "bin/guard-watchdog",
      "sbin/modprobe",
    ])
      assert.ok(names.includes(name), name);
    for (const module of [
      "bcm2835_wdt",
      "nfsv3",
      "overlay",
      "e1000",
      "virtio_net",
      "smsc95xx",
      "lan78xx",
      "dwc2",
      "genet",
    ])
      assert.ok(
        names.some((name) => name.endsWith(`/${module}.ko`)),
        module,
      );
    const interpreter = names.find((name) => /^lib\/klibc-.*\.so$/.test(name));
    assert.ok(interpreter && archive.includes(`/${interpreter}\0`), "the interpreter that klibc's programs name");
  });

  it("holds the agent, and starts it again whenever it ends", async () => {
    assert.equal((await stat(at("usr/bin/pallet-agent"))).mode & 0o7777, 0o755);
    assert.match(await readFile(at("etc/inittab"), "utf8"), /^::respawn:\/usr\/bin\/pallet-agent$/m);
    assert.equal(await readlink(at("usr/sbin/init")), "../bin/busybox");
  });

  it("holds no secret, no identity, no password and nothing of this machine", async () => {
    for (const path of ["etc/machine-id", "etc/hostname", "etc/resolv.conf"])
      assert.equal((await stat(at(path))).size, 0, path);
    assert.deepEqual(await readdir(at("etc/dropbear")), []);
    assert.deepEqual(await readdir(at("root")).then((names) => names.filter((name) => name === ".ssh")), []);
    for (const line of (await readFile(at("etc/passwd"), "utf8")).trim().split("\n"))
      assert.match(line, /^[\w-]+:[*!]:/);
    await assert.rejects(stat(at("etc/shadow")));
    assert.doesNotMatch(await readFile(at("etc/inittab"), "utf8"), /dropbear|askfirst|getty/);
    const { stdout } = await execa("find", [
      rootfs.rootFolder,
      "-xdev",
      "(",
      "-perm",
      "-4000",
      "-o",
      "-name",
      "*host_key*",
      ")",
    ]);
    assert.deepEqual(
      stdout.split("\n").filter((line) => line !== "" && !/\/(su|mount|umount)$/.test(line)),
      [],
    );
  });

  it("mounts nothing of a card", async () => {
    assert.doesNotMatch(await readFile(at("etc/fstab"), "utf8"), /^[^#\n]/m);
  });

  it("has every tool that the agent runs", async () => {
    const tools =
      "lsblk blkid wipefs blkdiscard blockdev partx losetup swapoff mount umount lscpu mkfs.vfat mkfs.ext4 mdir mren modprobe reboot sh";
    for (const tool of tools.split(" ")) {
      const found = await Promise.all(
        ["usr/bin", "usr/sbin"].map((bin) => lstat(at(`${bin}/${tool}`)).catch(() => undefined)),
      );
      assert.ok(
        found.some((entry) => entry !== undefined),
        tool,
      );
    }
    // These would lose options if busybox stood in for them.
    for (const tool of ["bin/lsblk", "sbin/blkid", "bin/mount", "sbin/losetup"])
      assert.ok((await lstat(at(`usr/${tool}`))).isFile(), tool);
  });

  it("has the libraries of every program that the agent runs, and of Node", async () => {
    const libraries = new Set([...(await readdir(at("usr/lib/aarch64-linux-gnu"))), ...(await readdir(at("usr/lib")))]);
    // Node's, as `readelf --dynamic` shows them.
    const ofNode = "libdl.so.2 libstdc++.so.6 libm.so.6 libgcc_s.so.1 libpthread.so.0 libc.so.6 ld-linux-aarch64.so.1";
    const needed = new Set(ofNode.split(" "));
    for (const program of await programsOf(at("usr/sbin")))
      for (const [, name] of (await execa("readelf", ["--dynamic", program])).stdout.matchAll(/NEEDED.*\[(.+)\]/g))
        if (name !== undefined) needed.add(name);
    assert.deepEqual(
      [...needed].filter((name) => !libraries.has(name)),
      [],
    );
  });

  it("is not built again and not touched the second time", async () => {
    const before = await stat(rootfs.rootFolder);
    const again = await build();
    assert.deepEqual([again.changed, again.manifest], [false, rootfs.manifest]);
    assert.equal((await stat(rootfs.rootFolder)).ino, before.ino);
  });

  it("lets in whom the operator names, and keeps the older one for the nodes that run from it", async () => {
    const sshKeysFile = join(folder, "keys.pub");
    await writeFile(sshKeysFile, `# desk\nssh-ed25519 ${"A".repeat(68)} me@desk\n`);
    const withKeys = await build({ sshKeysFile });
    assert.equal(withKeys.manifest.sshKeys, 1);
    const inNew = (path: string) => join(withKeys.rootFolder, path);
    assert.match(await readFile(inNew("etc/inittab"), "utf8"), /dropbear .*-s -g -R/);
    assert.equal((await stat(inNew("root/.ssh/authorized_keys"))).mode & 0o7777, 0o600);
    // Nodes may run from it.
    assert.doesNotMatch(await readFile(at("etc/inittab"), "utf8"), /dropbear/);
    assert.deepEqual((await readdir(join(folder, "out/versions"))).toSorted(), [rootfs.id, withKeys.id].toSorted());
    assert.equal(await readlink(join(folder, "out/current")), `versions/${withKeys.id}`);
    // What was built before is not built again.
    const again = await build();
    assert.deepEqual([again.id, await readlink(join(folder, "out/current"))], [rootfs.id, `versions/${rootfs.id}`]);
  });

  it("is refused with an agent that a Pi could not start", async () => {
    const text = join(folder, "text");
    await writeFile(text, "no program");
    const request = { outDirectory: join(folder, "other"), cacheDirectory: checkoutCache("rootfs"), agentFile: text };
    await assert.rejects(buildRootfs(request), /not a program for arm64/);
  });
});

/** Whether a loop device lies over the file. */
/** Whether fuse2fs(1) has the file open, wherever it is seen there. */
function isMounted(file: string): boolean {
  const { dev, ino } = statSync(file);
  return readdirSync("/proc").some((pid) => {
    try {
      if (readFileSync(`/proc/${pid}/comm`, "utf8").trim() !== "fuse2fs") return false;
      return readdirSync(`/proc/${pid}/fd`).some((fd) => {
        const open = statSync(`/proc/${pid}/fd/${fd}`);
        return open.dev === dev && open.ino === ino;
      });
    } catch {
      // No process, or one that has since ended.
      return false;
    }
  });
}

const assertUnmounted = (file: string): Promise<void> =>
  until(() => !isMounted(file), `fuse2fs still has ${file}`, { withinMs: 10_000, everyMs: 50 });

describe("a system unpacked from an image", requires("root", "loop devices"), () => {
  let folder: string;
  let agentFile: string;
  before(async () => {
    ({ folder, agentFile } = await makeFolder());
  });
  after(() => rm(folder, { recursive: true }));

  /** A card's image with one ext4 partition at 1 MiB that holds the given folder. */
  const makeImage = async (path: string, tree: string) => {
    await writeFile(path, "");
    await execa("truncate", ["--size", "24M", path]);
    await execa("sfdisk", ["--quiet", path], { input: "label: dos\nstart=2048, size=40960, type=83\n" });
    await execa("mke2fs", ["-q", "-F", "-t", "ext4", "-d", tree, "-E", `offset=${MiB}`, path, "20m"]);
  };

  it("keeps owners, modes, times, links, devices and extended attributes", async () => {
    const tree = join(folder, "tree");
    for (const path of ["etc", "usr/lib/systemd", "sbin", "dev", "home/pi"])
      await mkdir(join(tree, path), { recursive: true });
    const script = [
      "echo 'PARTUUID=1-02 / ext4 defaults 0 1' >etc/fstab",
      "echo PRETTY_NAME=Test >etc/os-release; touch usr/lib/systemd/systemd; ln -s /usr/lib/systemd/systemd sbin/init",
      "echo a >home/pi/a; ln home/pi/a home/pi/b; ln -s a home/pi/c; chown -R 1000:1001 home/pi",
      "touch -d '2020-02-02 02:02:02 UTC' home/pi/a; chmod 4755 usr/lib/systemd/systemd",
      "mknod dev/sda b 8 0; mknod dev/null c 1 3; mkfifo dev/pipe",
    ];
    await execa("sh", ["-ec", script.join("\n")], { cwd: tree });
    const image = join(folder, "card.img");
    await makeImage(image, tree);
    await execa("debugfs", ["-w", "-R", "ea_set /etc/os-release user.colour red", `${image}?offset=${MiB}`]);
    const before = await readFile(image);
    const out = join(folder, "unpacked");
    const { partition } = await importRootfs({ imagePath: image, outDirectory: out });
    assert.equal(partition, 1);
    const of = async (path: string) => lstat(join(out, path));
    const a = await of("home/pi/a");
    assert.deepEqual([a.uid, a.gid, a.nlink, a.mtime.toISOString()], [1000, 1001, 2, "2020-02-02T02:02:02.000Z"]);
    assert.equal((await of("home/pi/b")).ino, a.ino);
    assert.equal(await readlink(join(out, "home/pi/c")), "a");
    assert.equal((await of("usr/lib/systemd/systemd")).mode & 0o7777, 0o4755);
    assert.ok((await of("dev/sda")).isBlockDevice() && (await of("dev/sda")).rdev === 0x800);
    assert.ok((await of("dev/null")).isCharacterDevice() && (await of("dev/pipe")).isFIFO());
    const tar = await execa("tar", ["--create", "--xattrs", "--directory", out, "etc/os-release"]);
    assert.match(tar.stdout, /SCHILY\.xattr\.user\.colour=red/);
    assert.ok((await readFile(image)).equals(before), "the image was only read");
    await assert.rejects(importRootfs({ imagePath: image, outDirectory: out }), /not empty/);
  });

  it("bakes the agent into an image itself, and leaves no mount and no loop device behind", async () => {
    const image = join(folder, "card.img");
    const { initSystem, partition } = await bakeRootfs({ target: image, agentFile });
    assert.deepEqual([initSystem, partition], ["systemd", 1]);
    const filesystem = `${image}?offset=${MiB}`;
    const cat = async (path: string) => (await execa("debugfs", ["-R", `cat ${path}`, filesystem])).stdout;
    assert.equal(await cat("/usr/bin/pallet-agent"), "#!/bin/sh\necho an agent");
    assert.match(await cat("/etc/fstab"), /^#pallet# PARTUUID=1-02/);
    await execa("e2fsck", ["-f", "-n", filesystem]);
    assert.doesNotMatch((await execa("losetup", ["--all"])).stdout, new RegExp(image));
    assert.doesNotMatch(await readFile("/proc/self/mountinfo", "utf8"), /pallet-image-/);
  });

  it("leaves no mount and no folder behind when it is cancelled as soon as the image is mounted", async () => {
    const abort = new AbortController();
    const imagePath = join(folder, "card.img");
    const timer = setInterval(() => {
      if (isMounted(imagePath)) abort.abort();
    }, 1);
    const importing = importRootfs({ imagePath, outDirectory: join(folder, "none"), signal: abort.signal });
    await assert.rejects(importing, { reason: "cancelled" }).finally(() => clearInterval(timer));
    assert.doesNotMatch(await readFile("/proc/self/mountinfo", "utf8"), /pallet-image-/);
    await assertUnmounted(imagePath);
    assert.deepEqual(
      (await readdir(folder)).filter((name) => name.includes("none")),
      [],
    );
  });

  it("leaves no mount and no loop device behind when it is killed", async () => {
    const imagePath = join(folder, "card.img");
    const module = new URL("../../controller/rootfs/with-root-of-image.ts", import.meta.url).href;
    const source = `const { withRootOfImage } = await import(${JSON.stringify(module)});
      const request = { imagePath: ${JSON.stringify(imagePath)}, access: "read-only" };
      await withRootOfImage(request, () => new Promise(() => setInterval(() => console.log("mounted"), 10)));`;
    const child = execa(process.execPath, ["--input-type=module", "-e", source], { reject: false, buffer: false });
    try {
      await once(child.stdout, "data");
      assert.ok(isMounted(imagePath));
    } finally {
      child.kill("SIGKILL");
    }
    await child;
    await assertUnmounted(imagePath);
    assert.doesNotMatch(await readFile("/proc/self/mountinfo", "utf8"), /pallet-image-/);
  });

  it("is refused when the image holds no system, and leaves nothing behind", async () => {
    const tree = join(folder, "nothing");
    await mkdir(join(tree, "data"), { recursive: true });
    const image = join(folder, "data.img");
    await makeImage(image, tree);
    await assert.rejects(
      importRootfs({ imagePath: image, outDirectory: join(folder, "none") }),
      /the image has no partition with/,
    );
    assert.deepEqual(
      (await readdir(folder)).filter((name) => name.includes("none")),
      [],
    );
  });

  for (const [format, ...compress] of [
    ["gzip", "gzip", "-1"],
    ["xz", "xz", "-0"],
    ["zstd", "zstd", "-q"],
  ] as const)
    it(`is taken out of an image that is compressed by ${format}, whatever it is called`, async () => {
      const image = join(folder, `${format}.bin`);
      await execa("sh", ["-c", `${compress.join(" ")} <"$1" >"$2"`, "sh", join(folder, "card.img"), image]);
      const out = join(folder, `from-${format}`);
      const { partition, rootFolder } = await importRootfs({ imagePath: image, outDirectory: out });
      assert.deepEqual([partition, rootFolder], [1, out]);
      assert.equal(await readFile(join(out, "etc/os-release"), "utf8"), "PRETTY_NAME=Test\n");
      // To be baked into, an image has to be plain, and that is said.
      await assert.rejects(bakeRootfs({ target: image, agentFile }), /is compressed \(\w+\), and baking changes/);
    });

  it("is refused at once, and nothing left behind, when there is no kernel for nodes to netboot", async () => {
    const out = join(folder, "none");
    const importing = importRootfs({ imagePath: join(folder, "card.img"), outDirectory: out, netboot: archive });
    await assert.rejects(importing, /found no Linux kernel in the image/);
    assert.deepEqual(
      (await readdir(folder)).filter((name) => name.includes("none")),
      [],
    );
  });

  it("is the demo's Debian, from .xz to what boot-tree build takes, and its own modules are in the initial RAM disk", async () => {
    const demo = await buildDemoImage({ cacheDirectory: checkoutCache("demo-image"), name: "debian-demo" });
    const image = join(folder, "demo.img.xz");
    await execa("sh", ["-c", 'xz -0 -T0 <"$1" >"$2"', "sh", demo.imagePath, image]);
    const out = join(folder, "debian");
    const { partition, files, manifest } = await importRootfs({
      imagePath: image,
      outDirectory: out,
      netboot: archive,
    });
    assert.equal(partition, 2);
    assert.ok(files > 1000);
    const [version = ""] = await readdir(join(out, "versions"));
    assert.deepEqual((await readdir(join(out, "versions", version))).toSorted(), [
      "device-trees",
      "initrd.img",
      "manifest.json",
      "root",
      "vmlinuz",
    ]);
    assert.match(manifest?.operatingSystem ?? "", /Debian GNU/);
    const release = manifest?.kernelRelease ?? "";
    assert.deepEqual([manifest?.rootModules, manifest?.initrdModules], [[release], release]);
    const initrd = zstdDecompressSync(await readFile(join(out, "versions", version, "initrd.img"))).toString("latin1");
    for (const module of ["nfsv3", "overlay", "virtio_net"])
      assert.match(initrd, new RegExp(`lib/modules/${release}/\\S*/${module}\\.ko\0`), module);

    const tree = {
      ...{ ...archive, outDirectory: join(folder, "tree"), targets: ["qemu_arm64"] as const, rootfsDirectory: out },
      ...{ overwrite: false },
    };
    await assert.rejects(buildBootTree(tree), /no agent yet: run "controller rootfs bake/);
    const { initSystem, netbootFolder, rootFolder = "" } = await bakeRootfs({ target: out, agentFile });
    assert.deepEqual([initSystem, netbootFolder], ["busybox", out]);
    assert.match(await readFile(join(rootFolder, "etc/inittab"), "utf8"), /^::respawn:\/usr\/bin\/pallet-agent$/m);
    assert.doesNotMatch(await readFile(join(rootFolder, "etc/fstab"), "utf8"), /^[^#\n]/m);
    const built = await buildBootTree(tree);
    assert.equal(built.manifest.versions.kernel, release);
    assert.ok(built.plan.write.includes("agent/vmlinuz") && built.plan.write.includes("agent/initrd.img"));

    // A newer agent is another version; the nodes that run from the one before keep all of it.
    const newer = join(folder, "newer-agent");
    await writeFile(newer, "#!/bin/sh\necho a newer agent\n");
    const again = await bakeRootfs({ target: out, agentFile: newer });
    const agentOf = (root = "") => readFile(join(root, "usr/bin/pallet-agent"), "utf8");
    assert.match(await agentOf(again.rootFolder), /a newer agent/);
    assert.match(await agentOf(rootFolder), /an agent/);
    assert.equal((await readCurrentRoot(out))?.rootFolder, again.rootFolder);
    // A newer image in the same store waits for its agent: until then new boots get what they got.
    const next = await importRootfs({ imagePath: image, outDirectory: out, netboot: archive });
    assert.equal((await readCurrentRoot(out))?.rootFolder, again.rootFolder);
    const baked = await bakeRootfs({ target: out, agentFile: newer });
    assert.equal((await readCurrentRoot(out))?.rootFolder, baked.rootFolder);
    const shadow = (root = "") => stat(join(root, "etc/fstab")).then(({ birthtimeMs }) => birthtimeMs);
    assert.ok((await shadow(baked.rootFolder)) > (await shadow(again.rootFolder)), "it was made of the older one");
    await assert.rejects(stat(next.rootFolder), { code: "ENOENT" });
    // It shares what is the same on the disk.
    const inodes = await Promise.all([rootFolder, again.rootFolder].map((root = "") => stat(join(root, "etc/passwd"))));
    assert.equal(inodes[0]?.ino, inodes[1]?.ino);
  });
});

describe("a root filesystem with the kernel of trixie-backports", requires("root"), () => {
  let folder: string;
  let rootfs: Rootfs;
  let release: string;
  let names: readonly string[];
  let initrd: Buffer;
  before(async () => {
    let agentFile: string;
    ({ folder, agentFile } = await makeFolder());
    const cacheDirectory = checkoutCache("rootfs");
    rootfs = await buildRootfs({ outDirectory: join(folder, "out"), cacheDirectory, agentFile, backports: true });
    release = rootfs.manifest.backports?.kernelRelease ?? "";
    initrd = zstdDecompressSync(await readFile(join(rootfs.folder, "backports/initrd.img")));
    names = (await execa("busybox", ["cpio", "-t"], { input: initrd })).stdout.split("\n");
  });
  after(() => rm(folder, { recursive: true }));

  it("has a kernel from 6.17 on, packed so that firmware gets it within 30 s, and its modules beside the other's", async () => {
    const [major = 0, minor = 0] = release.split(".").map(Number);
    assert.ok(major > 6 || (major === 6 && minor >= 17), release);
    const kernel = await readFile(join(rootfs.folder, "backports/vmlinuz"));
    assert.ok(kernel.length < 24 * MiB, `${kernel.length} bytes`);
    const image = gunzipSync(kernel);
    assert.equal(image.toString("latin1", 56, 60), "ARMd");
    assert.equal(parseKernelRelease(image), release);
    const modules = await readdir(join(rootfs.rootFolder, "usr/lib/modules"));
    assert.deepEqual(modules.toSorted(), [rootfs.manifest.kernelRelease, release].toSorted());
    assert.deepEqual(rootfs.manifest.rootModules.toSorted(), modules.toSorted());
    assert.ok(rootfs.manifest.root.sizeBytes < 100 * MiB, `${rootfs.manifest.root.sizeBytes} bytes`);
  });

  it("has an initrd with every module that the way to a Pi 5's Ethernet needs, and all that these need", async () => {
    const modules = `lib/modules/${release}`;
    const paths = names.filter((name) => name.startsWith(`${modules}/kernel/`) && name.endsWith(".ko"));
    const extract = async (name: string) =>
      (await execa("busybox", ["cpio", "-i", "--to-stdout", `${modules}/${name}`], { input: initrd, cwd: folder }))
        .stdout;
    const index = parseModuleIndex(await extract("modules.dep"), await extract("modules.builtin"));
    for (const name of ["macb", "rp1_pci", "clk_rp1", "pinctrl_rp1", "irq_bcm2712_mip", "nfsv3", "overlay"])
      assert.ok(index.paths.has(name), name);
    for (const needed of [...index.paths.values(), ...[...index.dependencies.values()].flat()])
      assert.ok(paths.includes(`${modules}/${needed}`), needed);
    // Which devices there are, the device tree says; which module is for one, modules.alias.
    const tree = (await readFile(join(rootfs.folder, "device-trees/bcm2712-rpi-5-b.dtb"))).toString("latin1");
    const aliases = await extract("modules.alias");
    for (const device of [
      "brcm,bcm2712-mip",
      "raspberrypi,rp1-clocks",
      "raspberrypi,rp1-gpio",
      "raspberrypi,rp1-gem",
      "brcm,bcm2712c0-pinctrl",
    ]) {
      assert.ok(tree.includes(`${device}\0`), `the device tree has no ${device}`);
      assert.ok(aliases.includes(`of:N*T*C${device} `), `no module of the initrd is for ${device}`);
    }
    assert.match(aliases, /^alias pci:v00001DE4d00000001\S* rp1_pci$/m);
  });

  it("has a driver for a Pi 5's card in the root filesystem", async () => {
    const aliases = await readFile(join(rootfs.rootFolder, "usr/lib/modules", release, "modules.alias"), "utf8");
    assert.match(aliases, /^alias of:N\*T\*Cbrcm,bcm2712-sdhci sdhci_brcmstb$/m);
  });

  it("makes a boot tree for Pi 5 and Pi 2 v1.2 too, with the other boards' device trees as they were", async () => {
    const tree = await buildBootTree({
      ...{ ...archive, outDirectory: join(folder, "tree"), rootfsDirectory: join(folder, "out") },
      ...{ cacheDirectory: checkoutCache("boot-tree"), targets: ["qemu_arm64"], overwrite: false },
    });
    const { files } = tree.manifest;
    for (const path of ["agent/backports/vmlinuz", "agent/backports/initrd.img", "bcm2712-d-rpi-5-b.dtb"])
      assert.ok(path in files, path);
    const unserved = selectUnserved((path) => path in files).flatMap(({ boards }) => boards);
    assert.deepEqual(unserved, ["CM4S", "Pi 5 (D0)", "Pi 500", "CM5", "CM5 Lite"]);
    const { pi5 } = chooseAgentBoot({ append: [] }, tree.manifest);
    assert.equal(pi5?.kernel, "agent/backports/vmlinuz");
    const plain = await buildRootfs({
      ...{ outDirectory: join(folder, "plain"), cacheDirectory: checkoutCache("rootfs") },
      agentFile: join(folder, "agent"),
    });
    assert.equal(plain.manifest.backports, undefined);
    for (const name of await readdir(join(plain.folder, "device-trees")))
      assert.deepEqual(
        await readFile(join(rootfs.folder, "device-trees", name)),
        await readFile(join(plain.folder, "device-trees", name)),
      );
  });
});
