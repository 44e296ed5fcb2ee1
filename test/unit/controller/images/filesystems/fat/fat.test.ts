import assert from "node:assert/strict";
import { mkdir, mkdtemp, open, readFile, rm, utimes, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { execa } from "execa";
import { deriveFat } from "../../../../../../controller/images/filesystems/fat/write-fat.ts";
import { Failure } from "../../../../../../proto/failure.ts";

const KiB = 1024;
const MiB = 1024 * KiB;
const env = { MTOOLSRC: "/dev/null", TZ: "UTC", LC_ALL: "C.UTF-8" };

type Files = Readonly<Record<string, Buffer>>;

/** Bytes that differ from file to file and from block to block. */
function content(seed: string, sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  let state = [...seed].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) >>> 0, 7);
  for (let at = 0; at < sizeBytes; at++) {
    state = (state * 1103515245 + 12345) >>> 0;
    bytes[at] = state >>> 16;
  }
  return bytes;
}

const oldFiles: Files = {
  "config.txt": Buffer.from("arm_64bit=1\n"),
  "kernel8.img": content("kernel 1", 300_000),
  "bcm2711-rpi-4-b.dtb": content("device tree", 50_000),
  "start4.elf": content("firmware", 400_001),
  "overlays/a long name of an overlay.dtbo": content("overlay", 3_000),
  "overlays/gone.dtbo": content("gone", 5_000),
  "gone/deep/file": content("deep", 1_000),
  empty: Buffer.alloc(0),
};
const newFiles: Files = {
  "config.txt": Buffer.from("arm_64bit=1\nauto_initramfs=1\n"),
  "kernel8.img": content("kernel 2", 350_000),
  "bcm2711-rpi-4-b.dtb": content("device tree", 50_000),
  "start4.elf": content("firmware", 400_001),
  "overlays/a long name of an overlay.dtbo": content("overlay", 3_000),
  "overlays/README": content("readme", 200),
  initramfs8: content("initramfs", 100_000),
  "gone/now/elsewhere": content("deep", 1_000),
  empty: content("not empty", 1),
};

describe("a FAT filesystem with the content of another", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), "pallet-fat-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  let made = 0;
  async function make(args: readonly string[], sizeBytes: number, files: Files, year: number): Promise<string> {
    const image = path.join(folder, `${++made}.img`);
    const file = await open(image, "wx");
    await file.truncate(sizeBytes);
    await file.close();
    await execa("mkfs.vfat", [...args, image], { env });
    const tree = `${image}.tree`;
    for (const [name, bytes] of Object.entries(files)) {
      await mkdir(path.dirname(path.join(tree, name)), { recursive: true });
      await writeFile(path.join(tree, name), bytes);
      await utimes(path.join(tree, name), 0, Date.UTC(year, 3, 5, 6, 7, 8) / 1000);
    }
    const tops = [...new Set(Object.keys(files).map((name) => path.join(tree, name.split("/")[0] ?? "")))];
    if (tops.length > 0) await execa("mcopy", ["-s", "-m", "-i", image, ...tops, "::"], { env });
    return image;
  }

  async function derive(target: string, source: string, keepIdentity = false): Promise<void> {
    await using stack = new AsyncDisposableStack();
    const places = [];
    for (const image of [target, source]) {
      const file = await open(image, "r+");
      stack.defer(() => file.close());
      places.push({ file, offsetBytes: 0, lengthBytes: (await file.stat()).size });
    }
    const [into, from] = places;
    assert.ok(into && from);
    await deriveFat(into, from, { keepIdentity, signal: new AbortController().signal });
  }

  /** Everything that mtools tells of the files: names, attributes, sizes, times. */
  async function listing(image: string): Promise<string> {
    const { stdout } = await execa("mdir", ["-a", "-/", "-i", image, "::/"], { env });
    const { stdout: attributes } = await execa("mattrib", ["-/", "-p", "-i", image, "::/"], { env });
    const dates = stdout.split("\n").filter((line) => !/bytes free|^ Volume|^Directory for/.test(line));
    return `${dates.toSorted().join("\n")}\n${attributes}`;
  }

  async function assertHolds(image: string, files: Files, same: string): Promise<void> {
    await execa("fsck.fat", ["-n", image], { env });
    for (const [name, bytes] of Object.entries(files)) {
      const { stdout } = await execa("mtype", ["-i", image, `::/${name}`], {
        env,
        encoding: "buffer",
        stripFinalNewline: false,
      });
      assert.ok(Buffer.from(stdout).equals(bytes), name);
    }
    assert.equal(await listing(image), await listing(same));
  }

  const identity = async (image: string) => (await execa("blkid", ["-p", "-o", "export", image])).stdout.split("\n");

  for (const [bits, sizeBytes, cluster] of [
    ["12", 4 * MiB, "4"],
    ["16", 16 * MiB, "1"],
    ["32", 40 * MiB, "1"],
  ] as const)
    it(`FAT${bits}: holds exactly the new files, and what stayed has not moved`, async () => {
      const geometry = ["-F", bits, "-s", cluster];
      const old = await make([...geometry, "-n", "OLDBOOT", "-i", "11111111"], sizeBytes, oldFiles, 2024);
      const next = await make(["-F", "16", "-s", "2", "-n", "NEWBOOT", "-i", "2222abcd"], 12 * MiB, newFiles, 2026);
      await execa("mattrib", ["+h", "+r", "-i", next, "::/config.txt"], { env });
      const was = await readFile(old);
      await derive(old, next);
      await assertHolds(old, newFiles, next);
      const lines = await identity(old);
      assert.ok(lines.includes("LABEL=NEWBOOT") && lines.includes("UUID=2222-ABCD"), lines.join(" "));

      // The firmware, the device tree and the overlay are where they were, as is the kernel's place.
      const is = await readFile(old);
      let different = 0;
      for (let at = 0; at < was.length; at += 4 * KiB) {
        if (!was.subarray(at, at + 4 * KiB).equals(is.subarray(at, at + 4 * KiB))) different += 4 * KiB;
      }
      assert.ok(different < 350_000 + 100_000 + 120_000, `${different} bytes differ`);
    });

  it("derived from itself it stays as it is, to the byte, but for entries of deleted files", async () => {
    const image = await make(["-F", "32", "-s", "1", "-n", "BOOTFS"], 40 * MiB, oldFiles, 2024);
    const copy = path.join(folder, "copy.img");
    const was = await readFile(image);
    await writeFile(copy, was);
    await derive(image, copy);
    const is = await readFile(image);
    const different = [...Array(was.length / 512).keys()].filter(
      (sector) => !was.subarray(sector * 512, (sector + 1) * 512).equals(is.subarray(sector * 512, (sector + 1) * 512)),
    );
    // The sector that counts what is free may say it in another way.
    assert.ok(
      different.every((sector) => sector === 1),
      `sectors ${different.join(" ")} differ`,
    );
  });

  it("may keep its own identity", async () => {
    const old = await make(["-F", "16", "-n", "OLDBOOT", "-i", "11111111"], 16 * MiB, oldFiles, 2024);
    const next = await make(["-F", "16", "-n", "NEWBOOT", "-i", "22222222"], 16 * MiB, newFiles, 2026);
    await derive(old, next, true);
    const lines = await identity(old);
    assert.ok(lines.includes("LABEL=OLDBOOT") && lines.includes("UUID=1111-1111"), lines.join(" "));
    await execa("fsck.fat", ["-n", old], { env });
  });

  it("too small for the new content, it is refused and untouched", async () => {
    const old = await make(["-F", "12"], 512 * KiB, { "config.txt": Buffer.from("x") }, 2024);
    const next = await make(["-F", "16"], 16 * MiB, newFiles, 2026);
    const was = await readFile(old);
    await assert.rejects(derive(old, next), (error: unknown) => {
      assert.ok(error instanceof Failure);
      assert.equal(error.reason, "unsupported");
      assert.match(error.message, /too small for the new content: its files take \d+ bytes/);
      return true;
    });
    assert.ok(was.equals(await readFile(old)));
  });

  it("refuses damaged filesystems: no place outside, no cluster twice, no endless chain", async () => {
    const good = await make(["-F", "16", "-s", "1"], 16 * MiB, oldFiles, 2024);
    const target = await make(["-F", "16", "-s", "1"], 16 * MiB, {}, 2024);
    const bytes = await readFile(good);
    const tableAt = bytes.readUInt16LE(14) * 512;
    const change = (alter: (copy: Buffer) => void): Buffer => {
      const copy = Buffer.from(bytes);
      alter(copy);
      return copy;
    };
    const damages: Readonly<Record<string, Buffer>> = {
      signature: change((copy) => copy.fill(0, 510, 512)),
      "cluster size": change((copy) => copy.writeUInt8(3, 13)),
      "too large": change((copy) => copy.fill(0xff, 32, 36).fill(0, 19, 21)),
      "table too short": change((copy) => copy.writeUInt16LE(1, 22)),
      "endless chain": change((copy) => copy.writeUInt16LE(3, tableAt + 2 * 3)),
      "leaves the table": change((copy) => copy.writeUInt16LE(0xfff0, tableAt + 2 * 3)),
      "ends in a free cluster": change((copy) => copy.writeUInt16LE(0, tableAt + 2 * 3)),
    };
    for (const [what, damaged] of Object.entries(damages)) {
      const image = path.join(folder, "damaged.img");
      await writeFile(image, damaged);
      await assert.rejects(
        derive(target, image),
        (error: unknown) => error instanceof Failure && error.reason === "image-damaged",
        what,
      );
    }
  });
});
