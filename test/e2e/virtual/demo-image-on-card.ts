import assert from "node:assert/strict";
import { mkdir, mkdtemp, open, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";
import type { DemoImage } from "../../../scripts/demo-image/build-demo-image.ts";

const MiB = 1024 * 1024;
/** Layout of the demo image; see scripts/demo-image/write-disk-image.ts. */
const boot = { offsetBytes: 4 * MiB, lengthBytes: 44 * MiB };
const root = { offsetBytes: 48 * MiB };

/**
 * Boot sector with the "dirty" flag, FSINFO, and their copies (Microsoft's FAT specification 1.03): a system that runs
 * notes there that it has the filesystem mounted.
 */
const fatNotes = [0, 1, 6, 7].map((sector) => ({ offsetBytes: sector * 512, lengthBytes: 512 }));

/** What a reimage adds to the image's root filesystem, and what the running system changes in it. */
const changedByDesign = [
  /^etc\/(pallet(\/.*)?|inittab|resolv\.conf)$/,
  /^usr\/lib\/pallet(\/|$)/,
  /^(run|tmp|proc|sys|dev|var)(\/|$)/,
  /^lost\+found$/,
];

/** Where the second slot of a boot record has the end of the root and its length, which differ on every card. */
const endOfRoot = [
  [467, 470],
  [474, 478],
] as const;

/**
 * A snapshot of a card holds the image: everything before the first partition byte for byte, but for the end of the root,
 * which is that of the card; both filesystems sound,
 * and each with every file of the image and no other, but for those that a reimage and a boot change by design; and
 * every byte of the FAT partition that is not zero in the image. Blocks that no filesystem uses may hold anything: a
 * write may leave them out.
 *
 * The root filesystem of a running system is only whole together with its journal, which is replayed in a copy.
 */
export async function assertHoldsDemoImage(snapshot: string, image: DemoImage, folder: string): Promise<void> {
  const temporary = await mkdtemp(path.join(folder, "compare-"));
  const at = (name: string) => path.join(temporary, name);
  try {
    const table = await readRange(image.imagePath, 0, boot.offsetBytes);
    const tableFound = await readRange(snapshot, 0, boot.offsetBytes);
    assertGrown(tableFound, (await stat(snapshot)).size);
    for (const [from, to] of endOfRoot) table.copy(tableFound, from, from, to);
    assert.equal(
      firstDifference(table, tableFound),
      undefined,
      "the card differs from the image before the first partition",
    );
    await assertHoldsFat(snapshot, image, at);

    // Into a file of its own, because e2fsck forgets the offset when it has replayed a journal.
    const sparse = ["bs=1M", `skip=${root.offsetBytes / MiB}`, "conv=sparse", "status=none"];
    await execa("dd", [`if=${snapshot}`, `of=${at("root.ext4")}`, ...sparse]);
    const { exitCode, all } = await execa("e2fsck", ["-f", "-p", at("root.ext4")], { reject: false, all: true });
    // 1: corrected, which is what replaying a journal is called (e2fsck(8)).
    assert.ok(exitCode === 0 || exitCode === 1, `the root filesystem is not sound (${exitCode}): ${all}`);
    for (const name of ["root-found", "root-expected"]) await mkdir(at(name));
    await execa("debugfs", ["-R", `rdump / ${at("root-found")}`, at("root.ext4")]);
    await execa("debugfs", ["-R", `rdump / ${at("root-expected")}`, `${image.imagePath}?offset=${root.offsetBytes}`]);
    const changed = await differingFiles(at("root-expected"), at("root-found"));
    assert.deepEqual(
      changed.filter((name) => !changedByDesign.some((pattern) => pattern.test(name))),
      [],
      "files of the root filesystem differ from the image's",
    );
  } finally {
    await rm(temporary, { recursive: true });
  }
}

/** The root reaches to the end of the card, to the last whole MiB. */
function assertGrown(table: Buffer, cardBytes: number): void {
  const left = cardBytes - root.offsetBytes - table.readUInt32LE(474) * 512;
  assert.ok(left >= 0 && left < 2 * MiB, `the root ends ${left} bytes before the end of the card`);
}

async function assertHoldsFat(snapshot: string, image: DemoImage, at: (name: string) => string): Promise<void> {
  const [expected, found] = await Promise.all(
    [image.imagePath, snapshot].map((file) => readRange(file, boot.offsetBytes, boot.lengthBytes)),
  );
  assert.ok(expected !== undefined && found !== undefined);
  for (const { offsetBytes, lengthBytes } of fatNotes)
    expected.copy(found, offsetBytes, offsetBytes, offsetBytes + lengthBytes);
  const difference = firstDifference(expected, found, { ignoringZeroBlocks: true });
  assert.equal(difference, undefined, "the card differs from the image in the boot partition");
  for (const [name, content] of [
    ["boot-expected", expected],
    ["boot-found", found],
  ] as const) {
    await writeFile(at(`${name}.fat`), content);
    await mkdir(at(name));
    await execa("mcopy", ["-s", "-m", "-i", at(`${name}.fat`), "::", at(name)]);
  }
  const { exitCode, stdout } = await execa("fsck.vfat", ["-n", at("boot-found.fat")], { reject: false });
  assert.equal(exitCode, 0, `the boot filesystem is not sound: ${stdout}`);
  assert.deepEqual(await differingFiles(at("boot-expected"), at("boot-found")), [], "boot files differ");
}

/** Paths that are not in both folders as the same file, link or folder with the same owner and permissions. */
async function differingFiles(expected: string, found: string): Promise<readonly string[]> {
  const [before, after] = await Promise.all([expected, found].map(listing));
  const attributes = new Set(
    [...(before ?? [])].filter(([name, line]) => after?.get(name) !== line).map(([name]) => name),
  );
  for (const name of after?.keys() ?? []) if (before?.has(name) === false) attributes.add(name);
  const { stdout } = await execa("diff", ["--brief", "--recursive", "--no-dereference", expected, found], {
    reject: false,
  });
  const content = stdout.split("\n").flatMap((line) => /^Files \S+ and (\S+) differ$/.exec(line)?.[1] ?? []);
  return [...new Set([...attributes, ...content.map((file) => path.relative(found, file))])].toSorted();
}

/** Type, permissions, owner and link of every path in a folder. */
async function listing(folder: string): Promise<ReadonlyMap<string, string>> {
  const { stdout } = await execa("find", [folder, "-mindepth", "1", "-printf", "%P\\t%y %m %U:%G %l\\n"]);
  return new Map(
    stdout
      .split("\n")
      .filter(Boolean)
      .map((line) => line.split("\t", 2) as [string, string]),
  );
}

/**
 * Offset of the first byte that differs. A block of 4 KiB that is all zero in what is expected need not be compared.
 */
function firstDifference(
  expected: Buffer,
  found: Buffer,
  { ignoringZeroBlocks = false }: { readonly ignoringZeroBlocks?: boolean } = {},
): number | undefined {
  const blockBytes = 4096;
  const zeros = Buffer.alloc(blockBytes);
  for (let offset = 0; offset < expected.length; offset += blockBytes) {
    const block = expected.subarray(offset, offset + blockBytes);
    const other = found.subarray(offset, offset + blockBytes);
    if (block.equals(other) || (ignoringZeroBlocks && block.equals(zeros))) continue;
    return offset + block.findIndex((byte, index) => byte !== other[index]);
  }
  return undefined;
}

async function readRange(file: string, offsetBytes: number, lengthBytes: number): Promise<Buffer> {
  const handle = await open(file, "r");
  try {
    const bytes = Buffer.alloc(lengthBytes);
    const { bytesRead } = await handle.read(bytes, 0, lengthBytes, offsetBytes);
    assert.equal(bytesRead, lengthBytes, `${file} ends before ${offsetBytes + lengthBytes}`);
    return bytes;
  } finally {
    await handle.close();
  }
}

/** A file of the root filesystem on a card, read without mounting it (debugfs(8)). */
export async function readRootFile(file: string, name: string): Promise<string> {
  return (await execa("debugfs", ["-R", `cat ${name}`, `${file}?offset=${root.offsetBytes}`])).stdout;
}
