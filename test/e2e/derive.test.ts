// Deriving with real filesystems: what comes out holds exactly the new content, in the old layout.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, open, readdir, readFile, rm, utimes } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { execa } from "execa";
import { createImageDeriver, type DerivedImage } from "../../controller/images/derive/image-deriver.ts";
import { layOut } from "../../controller/images/derive/lay-out.ts";
import { createImageStore, type ImageStore } from "../../controller/images/image-store.ts";
import { Failure } from "../../proto/failure.ts";
import { assertDetachedBelow } from "../assert-detached.ts";
import { requires } from "../requirements.ts";
import {
  buildSystemImage,
  firmwarePlace,
  noise,
  noisyKernel,
  rootOffsetBytes,
  type SystemFiles,
  type SystemImage,
  writeSystem,
} from "./derive/a-system.ts";

const MiB = 1024 * 1024;
const chunkBytes = 64 * 1024;

const base: SystemFiles = {
  "usr/lib/os-release": { bytes: 'PRETTY_NAME="Small System"\n' },
  "etc/os-release": { link: "../usr/lib/os-release" },
  "usr/sbin/init": { bytes: noise("init", 5000), mode: 0o755 },
  sbin: { link: "usr/sbin" },
  "lost+found/.keep": { bytes: "" },
  ...Object.fromEntries(
    Array.from({ length: 60 }, (_, index) => [`usr/lib/big/${index}`, { bytes: noise(`big ${index}`, 200_000) }]),
  ),
};

const oldRoot: SystemFiles = {
  ...base,
  "usr/bin/tool": { bytes: noise("tool 1", 900_000), mode: 0o755 },
  "usr/bin/alias": { hardLink: "usr/bin/tool" },
  "usr/bin/other": { hardLink: "usr/bin/tool" },
  "usr/bin/alone": { bytes: "was alone\n" },
  "usr/lib/modules/6.1.0-17/kernel/fs.ko": { bytes: noise("fs.ko", 600_000) },
  "usr/lib/modules/6.1.0-17/kernel/net.ko": { bytes: noise("net.ko", 500_000) },
  "usr/share/becomes-a-folder": { bytes: "file" },
  "usr/share/becomes-a-file/with/content": { bytes: "content" },
  "usr/share/becomes-a-link/content": { bytes: noise("content", 9000) },
  "usr/share/gone": { bytes: noise("gone", 300_000) },
  "usr/share/escape": { link: "/tmp" },
  "dev/node": { device: [1, 3] },
  "var/lib/same-size-and-time": { bytes: "aaaa", mtime: 1_000_000_000 },
};

const newRoot: SystemFiles = {
  ...base,
  // Changed in the middle.
  "usr/bin/tool": {
    bytes: Buffer.concat([
      noise("tool 1", 400_000),
      Buffer.from("changed"),
      noise("tool 1", 900_000).subarray(400_007),
    ]),
    mode: 0o4755,
  },
  "usr/bin/alias": { hardLink: "usr/bin/tool" },
  // No longer the same file as the tool, and still what the tool was.
  "usr/bin/other": { bytes: noise("tool 1", 900_000), owner: 1000 },
  "usr/bin/alone": { hardLink: "usr/bin/other" },
  "usr/lib/modules/6.1.0-18/kernel/fs.ko": { bytes: noise("fs.ko", 600_000) },
  "usr/lib/modules/6.1.0-18/kernel/net.ko": { bytes: Buffer.concat([noise("net.ko", 500_000), Buffer.from("more")]) },
  "usr/share/becomes-a-folder/with/content": { bytes: "content" },
  "usr/share/becomes-a-file": { bytes: "file" },
  "usr/share/becomes-a-link": { link: "/etc" },
  "usr/share/new": { bytes: noise("new", 250_000) },
  "usr/share/hole": { hole: 30 * MiB },
  // Through the old link this would be a file of the machine's own.
  "usr/share/escape/gone": { bytes: noise("gone", 300_000) },
  "dev/node": { device: [1, 5] },
  "var/lib/same-size-and-time": { bytes: "bbbb", mtime: 1_000_000_000 },
  [`name ${String.fromCodePoint(0x1f353)}\nin two lines`]: { bytes: "unusual" },
};

const firmware = {
  "config.txt": "arm_64bit=1\nkernel=kernel8.img\n",
  "cmdline.txt": "console=tty1 root=PARTUUID=11111111-02 rootwait\n",
  "kernel8.img": noisyKernel("kernel 1", 700_000),
  "start4.elf": noise("start4", 900_000),
  "bcm2711-rpi-4-b.dtb": noise("dtb", 30_000),
};

const oldSystem: SystemImage = {
  diskId: "11111111",
  firmware,
  root: oldRoot,
  rootBytes: 40 * MiB,
  rootUuid: "aaaaaaaa-0000-4000-8000-000000000001",
  attributes: [
    ["/usr/bin/alone", "user.was", "here"],
    ["/usr/lib/big/7", "user.stays", "same"],
    ["/usr/lib/big/8", "user.changes", "before"],
  ],
  ext: ["-J", "size=8"],
};
const newSystem: SystemImage = {
  diskId: "22222222",
  firmware: {
    ...firmware,
    "cmdline.txt": "console=tty1 root=PARTUUID=22222222-02 rootwait\n",
    "kernel8.img": noisyKernel("kernel 2", 750_000),
    "overlays/disable-bt.dtbo": noise("overlay", 2_000),
  },
  root: newRoot,
  rootBytes: 40 * MiB,
  rootUuid: "bbbbbbbb-0000-4000-8000-000000000002",
  rootLabel: "newroot",
  attributes: [
    ["/usr/lib/big/7", "user.stays", "same"],
    ["/usr/lib/big/8", "user.changes", "after"],
    ["/usr/bin/tool", "user.new", "there"],
  ],
};

/** A tar archive of a folder, made while it is read. (What execa starts would be thrown away until it is.) */
async function* archiveOf(folder: string, ...options: readonly string[]): AsyncGenerator<Uint8Array> {
  const args = ["--create", ...options, "--directory", folder, "."];
  const tar = spawn("tar", args, { stdio: ["ignore", "pipe", "inherit"] });
  const closed = once(tar, "close");
  try {
    yield* tar.stdout;
    assert.deepEqual(await closed, [0, null]);
  } finally {
    tar.kill();
  }
}

describe("deriving an image", { ...requires("root", "loop devices", "FUSE"), concurrency: false }, () => {
  let folder: string;
  let store: ImageStore;
  let oldImage: string;
  let newImage: string;
  const signal = new AbortController().signal;

  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), "pallet-derive-"));
    oldImage = path.join(folder, "old.img");
    newImage = path.join(folder, "new.img");
    await buildSystemImage(oldImage, oldSystem, 2024);
    await buildSystemImage(newImage, newSystem, 2026);
    await mkdir(path.join(folder, "images"));
    store = await createImageStore({ directory: path.join(folder, "images"), log: { warn: () => undefined } });
    await store.add({ name: "old", source: createReadStream(oldImage), signal });
  });
  after(() => rm(folder, { recursive: true, force: true }));

  let count = 0;
  async function derive(
    source: string | AsyncIterable<Uint8Array>,
    from = "old",
    steps: string[] = [],
  ): Promise<DerivedImage & { readonly raw: string }> {
    const name = `derived-${++count}`;
    const deriver = createImageDeriver({ images: store, directory: path.join(folder, "images"), layOut });
    const derived = await deriver.derive({
      name,
      from,
      source: typeof source === "string" ? createReadStream(source) : source,
      signal,
      onProgress: ({ step }) => void steps.push(step),
    });
    const stored = store.packFile(derived.image.pack.manifestDigest, "pack");
    assert.ok(stored !== undefined);
    const raw = path.join(folder, `${name}.img`);
    await execa("zstd", ["-q", "-d", stored, "-o", raw]);
    await assertNothingLeft();
    return { ...derived, raw };
  }

  async function assertNothingLeft(): Promise<void> {
    const left = (await readdir(path.join(folder, "images"))).filter((name) => name.startsWith("."));
    assert.deepEqual(left, []);
    await assertDetachedBelow(folder);
    assert.doesNotMatch(await readFile("/proc/self/mountinfo", "utf8"), new RegExp(folder));
  }

  /** A tree as an archive of everything that matters: owners, modes, times, links, devices, extended attributes. */
  async function archive(tree: string): Promise<Buffer> {
    const { stdout } = await execa(
      "tar",
      [
        ...["--create", "--format=posix", "--sort=name", "--numeric-owner", "--xattrs", "--xattrs-include=*", "--acls"],
        ...["--pax-option=delete=atime,delete=ctime,exthdr.name=%d/%f", "--directory", tree, "."],
      ],
      { encoding: "buffer", stripFinalNewline: false },
    );
    return Buffer.from(stdout);
  }

  /** The archive of an image's root filesystem. */
  async function rootOf(image: string, offsetBytes = rootOffsetBytes): Promise<Buffer> {
    const mountpoint = await mkdtemp(path.join(folder, "mnt-"));
    await execa("mount", ["-t", "ext4", "-o", `ro,noload,loop,offset=${offsetBytes}`, image, mountpoint]);
    try {
      return await archive(mountpoint);
    } finally {
      await execa("umount", [mountpoint]);
    }
  }

  async function firmwareOf(image: string): Promise<string> {
    const drive = `${image}@@${firmwarePlace.offsetBytes}`;
    await execa("fsck.fat", ["-n", await slice(image, firmwarePlace)]);
    const { stdout } = await execa("mdir", ["-a", "-/", "-i", drive, "::/"]);
    const { stdout: content } = await execa("mtype", ["-i", drive, "::/kernel8.img"], { encoding: "latin1" });
    const names = stdout.split("\n").filter((line) => !/bytes free|^Directory for/.test(line));
    return names.toSorted().join("\n") + content;
  }

  async function slice(
    image: string,
    { offsetBytes, lengthBytes }: { offsetBytes: number; lengthBytes: number },
  ): Promise<string> {
    const file = await open(image);
    const bytes = Buffer.alloc(lengthBytes);
    await file.read(bytes, 0, lengthBytes, offsetBytes);
    await file.close();
    const part = path.join(folder, "part.img");
    await (await import("node:fs/promises")).writeFile(part, bytes);
    return part;
  }

  async function differentBytes(a: string, b: string): Promise<number> {
    const [left, right] = [await readFile(a), await readFile(b)];
    let bytes = 0;
    for (let at = 0; at < Math.max(left.length, right.length); at += chunkBytes) {
      if (!left.subarray(at, at + chunkBytes).equals(right.subarray(at, at + chunkBytes))) bytes += chunkBytes;
    }
    return bytes;
  }

  async function assertSound(image: string): Promise<void> {
    await execa("e2fsck", ["-f", "-n", `${image}?offset=${rootOffsetBytes}`]);
    await execa("sfdisk", ["--verify", image]);
  }

  it("gives exactly the new image's content, ids and boot code, and shares most of its bytes with the old one", async () => {
    const steps: string[] = [];
    const { raw, image, gain } = await derive(newImage, "old", steps);
    assert.ok((await rootOf(raw)).equals(await rootOf(newImage)), "the trees differ");
    assert.equal(await firmwareOf(raw), await firmwareOf(newImage));
    await assertSound(raw);

    const ids = ({ partitions }: typeof image) =>
      partitions.map(({ partitionUuid, uuid, label }) => [partitionUuid, uuid, label]);
    assert.deepEqual(ids(image), [
      ["22222222-01", "2222-2222", "BOOTFS"],
      ["22222222-02", "bbbbbbbb-0000-4000-8000-000000000002", "newroot"],
    ]);
    // 1.5 MB of the root and 0.8 MB of the firmware are new; folders, inodes and bitmaps come on top.
    const [derived, built] = [await differentBytes(oldImage, raw), await differentBytes(oldImage, newImage)];
    assert.ok(derived < 5 * MiB, `${derived} bytes differ`);
    assert.ok(built > 10 * MiB, `${built} bytes differ when built anew`);
    // What is said of the gain counts what filesystems use, and nothing else.
    assert.ok(gain.writeBytes < 5 * MiB && gain.writeBytes > 1.5 * MiB, `${gain.writeBytes} bytes to write`);
    assert.ok(gain.fetchBytes <= gain.writeBytes && gain.fetchBytes > 1.2 * MiB, `${gain.fetchBytes} bytes to fetch`);
    assert.ok((gain.plainWriteBytes ?? 0) > 10 * MiB, `${gain.plainWriteBytes} bytes to write without deriving`);
    assert.ok(steps.includes("restoring old") && steps.some((step) => step.startsWith("laying out partition 2")));
  });

  it("from the same image again changes next to nothing", async () => {
    const { raw } = await derive(oldImage);
    assert.ok((await rootOf(raw)).equals(await rootOf(oldImage)));
    const bytes = await differentBytes(oldImage, raw);
    assert.ok(bytes <= 4 * chunkBytes, `${bytes} bytes differ`);
  });

  it("grows the last partition where the new one is larger", async () => {
    const large = path.join(folder, "large.img");
    const root = { ...newRoot, "var/more": { bytes: noise("more", 30 * MiB) } };
    await buildSystemImage(large, { ...newSystem, root, rootBytes: 80 * MiB }, 2026);
    const { raw, image } = await derive(large);
    assert.equal(image.partitions[1]?.lengthBytes, 80 * MiB);
    assert.ok((await rootOf(raw)).equals(await rootOf(large)));
    await assertSound(raw);
  });

  it("of a GPT gets the new GUIDs, and grows", async () => {
    const [before, after] = [path.join(folder, "gpt-old.img"), path.join(folder, "gpt-new.img")];
    await buildSystemImage(before, { ...oldSystem, table: "gpt" }, 2024);
    await buildSystemImage(after, { ...newSystem, table: "gpt", rootBytes: 50 * MiB }, 2026);
    await store.add({ name: "gpt", source: createReadStream(before), signal });
    const { raw, image } = await derive(after, "gpt");
    assert.ok((await rootOf(raw)).equals(await rootOf(after)));
    await assertSound(raw);
    const dump = async (file: string) => {
      const { stdout } = await execa("sfdisk", ["--dump", file]);
      return stdout.replaceAll(file, "").replace(/^device:.*\n/m, "");
    };
    assert.equal(await dump(raw), await dump(after));
    assert.equal(image.partitionTable, "gpt");
  });

  it("from a tree: the root gets it, the firmware what belongs there, and the ids stay", async () => {
    const tree = path.join(folder, "tree");
    const fstab = "PARTUUID=11111111-02 / ext4 defaults 0 1\nPARTUUID=11111111-01 /boot/firmware vfat defaults 0 2\n";
    await writeSystem(tree, { ...newRoot, "etc/fstab": { bytes: fstab } }, 2026);
    await writeSystem(
      path.join(tree, "boot/firmware"),
      Object.fromEntries(Object.entries(newSystem.firmware).map(([name, bytes]) => [name, { bytes }])),
      2026,
    );
    const { raw, image, notes } = await derive(archiveOf(tree, "--format=posix", "--xattrs"));
    assert.deepEqual(notes, []);
    await assertSound(raw);
    assert.deepEqual(
      image.partitions.map(({ partitionUuid, uuid }) => [partitionUuid, uuid]),
      [
        ["11111111-01", "1111-1111"],
        ["11111111-02", "aaaaaaaa-0000-4000-8000-000000000001"],
      ],
    );
    const { stdout: kernel } = await execa("mtype", ["-i", `${raw}@@${firmwarePlace.offsetBytes}`, "::/kernel8.img"], {
      encoding: "buffer",
      stripFinalNewline: false,
    });
    assert.ok(Buffer.from(kernel).equals(noisyKernel("kernel 2", 750_000)));
    await rm(path.join(tree, "boot/firmware"), { recursive: true });
    await mkdir(path.join(tree, "boot/firmware"));
    const list = async (bytes: Buffer) => (await execa("tar", ["--list", "--verbose"], { input: bytes })).stdout;
    const lines = (text: string) =>
      text.split("\n").filter((line) => !/ \.\/(boot\/(firmware\/)?|lost\+found\/.*)?$/.test(line));
    assert.deepEqual(lines(await list(await rootOf(raw))), lines(await list(await archive(tree))));
  });

  it("tells of partitions that a tree leaves alone, and of ids that it names and the image lacks", async () => {
    const tree = path.join(folder, "bare-tree");
    await writeSystem(tree, { ...newRoot, "etc/fstab": { bytes: "PARTUUID=33333333-02 / ext4 defaults 0 1\n" } }, 2026);
    const { raw, notes } = await derive(archiveOf(tree, "--gzip"));
    assert.match(
      notes.join("\n"),
      /PARTUUID=33333333-02, which is not a partition.*\n?.*partition 1 \(BOOTFS\) stays as it is/s,
    );
    assert.equal(await firmwareOf(raw), await firmwareOf(oldImage));
  });

  it("takes nothing of the machine's own for a part of a tree", async () => {
    const tree = path.join(folder, "sly-tree");
    const fstab = "PARTUUID=11111111-02 / ext4 defaults 0 1\nPARTUUID=11111111-01 /boot/firmware vfat defaults 0 2\n";
    await writeSystem(tree, { ...newRoot, "etc/fstab": { bytes: fstab }, "boot/firmware": { link: folder } }, 2026);
    const archived = async () => {
      const { stdout } = await execa("tar", ["--create", "--directory", tree, "."], { encoding: "buffer" });
      return (async function* () {
        yield stdout;
      })();
    };
    const { notes } = await derive(await archived());
    assert.match(notes.join("\n"), /nothing in \/boot\/firmware/);
    await rm(path.join(tree, "boot"), { recursive: true });
    await writeSystem(path.join(tree, "boot/firmware"), { "config.txt": { link: "/etc/passwd" } }, 2026);
    await assert.rejects(derive(await archived()), /"config.txt" belongs in a FAT filesystem but is neither/);
  });

  for (const which of ["old", "new"] as const)
    it(`replays the journal of the ${which} image, whose system lost its power`, async () => {
      const image = path.join(folder, `${which}-without-power.img`);
      await copyUnplugged(which === "old" ? oldImage : newImage, image);
      if (which === "old") await store.add({ name: "torn", source: createReadStream(image), signal });
      const { raw } = await (which === "old" ? derive(newImage, "torn") : derive(image));
      await assertSound(raw);
      const whole = await slice(image, { offsetBytes: rootOffsetBytes, lengthBytes: 40 * MiB });
      await execa("e2fsck", ["-f", "-p", whole], { reject: false });
      assert.ok((await rootOf(raw)).equals(which === "old" ? await rootOf(newImage) : await rootOf(whole, 0)));
      const { stdout } = await execa("debugfs", ["-R", "cat /written-last", `${raw}?offset=${rootOffsetBytes}`]);
      assert.equal(stdout, which === "old" ? "" : "committed, and nowhere but in the journal");
    });

  /** Copies an image as a power cut leaves it: mounted, with a file that is committed to its journal alone. */
  async function copyUnplugged(image: string, copy: string): Promise<void> {
    const mounted = path.join(folder, "mounted.img");
    await execa("cp", ["--sparse=always", image, mounted]);
    const mountpoint = await mkdtemp(path.join(folder, "mnt-"));
    await execa("mount", ["-t", "ext4", "-o", `loop,offset=${rootOffsetBytes}`, mounted, mountpoint]);
    try {
      const file = await open(path.join(mountpoint, "written-last"), "wx");
      await file.writeFile("committed, and nowhere but in the journal");
      // Whole seconds, which is all that fuse2fs keeps.
      for (const each of [`${mountpoint}/written-last`, mountpoint]) await utimes(each, 1_700_000_000, 1_700_000_000);
      await file.sync();
      await file.close();
      await execa("cp", ["--sparse=always", mounted, copy]);
    } finally {
      await execa("umount", [mountpoint]);
    }
    const { stdout } = await execa("dumpe2fs", ["-h", `${copy}?offset=${rootOffsetBytes}`]);
    assert.match(stdout, /needs_recovery/);
  }

  it("is refused where the old filesystem has too little room", async () => {
    const file = path.join(folder, "too-much.img");
    const root = { ...base, "var/more": { bytes: noise("more", 24 * MiB) } };
    await buildSystemImage(file, { ...newSystem, root, attributes: [], ext: ["-O", "^has_journal"] }, 2026);
    await assert.rejects(derive(file), /the ext filesystem of the old image is too small for the new content/);
    await assertNothingLeft();
  });

  it("cancelled at any step, it leaves neither files nor mounts behind", async () => {
    for (const at of ["receiving", "restoring old", "laying out partition 1", "laying out partition 2", "storing"]) {
      const controller = new AbortController();
      const deriver = createImageDeriver({ images: store, directory: path.join(folder, "images"), layOut });
      const derived = deriver.derive({
        name: "cancelled",
        from: "old",
        source: createReadStream(newImage),
        signal: controller.signal,
        onProgress: ({ step }) => {
          if (step.startsWith(at)) setTimeout(() => controller.abort(), at === "laying out partition 2" ? 150 : 0);
        },
      });
      await assert.rejects(derived, (error: unknown) => error instanceof Failure && error.reason === "cancelled", at);
      await assertNothingLeft();
    }
  });
});
