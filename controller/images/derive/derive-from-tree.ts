import { constants, mkdir, open, readdir, realpath } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../../../proto/failure.ts";
import { isExt } from "../../../proto/linux/ext-filesystem.ts";
import { execa } from "../../../proto/linux/leashed-execa.ts";
import { systemPath } from "../../../proto/linux/system-path.ts";
import type { Partition } from "../catalogue/image.ts";
import { deriveFat } from "../filesystems/fat/write-fat.ts";
import { printable } from "../filesystems/printable.ts";
import { deriveExt } from "./derive-ext.ts";
import type { Derivation } from "./derive-from-image.ts";
import { parseFstab, unknownSources } from "./parse-fstab.ts";
import { type ImageLayout, underivable } from "./plan-derivation.ts";

const maximumFstabBytes = 64 * 1024;

/**
 * Gives a copy of the old image the content of a tree. The root filesystem gets the tree, without what its own
 * /etc/fstab mounts from the image's other partitions: those get that part of it, where the tree has something there,
 * and stay as they are where it has nothing. All ids stay the old image's.
 *
 * @returns what a person should know of partitions that stayed as they were
 */
export async function deriveFromTree(
  tree: string,
  layout: ImageLayout,
  { targetPath, workFolder, signal, onStep }: Derivation,
): Promise<readonly string[]> {
  const top = await realpath(tree);
  const root = layout.partitions.find(({ number }) => number === layout.rootPartition);
  if (root === undefined || !isExt(root.filesystemType))
    throw underivable("only an ext2, ext3 or ext4 root filesystem can take another tree in its old layout");
  const fstab = await readFstab(top);
  const mounted = parseFstab(fstab, layout.partitions);
  const notes = unknownSources(fstab, layout.partitions).map(
    (source) =>
      `the tree's /etc/fstab mounts ${printable(source)}, which is not a partition of this image: it keeps the old image's ids`,
  );
  const elsewhere: string[] = [];
  for (const partition of layout.partitions.filter(({ number }) => number !== root.number)) {
    const mountpoint = mounted.find(({ number }) => number === partition.number)?.mountpoint;
    const stays = `partition ${partition.number} (${partition.label || partition.filesystemType || "unknown content"}) stays as it is`;
    if (mountpoint === undefined) {
      notes.push(`${stays}: the tree's /etc/fstab does not mount it`);
      continue;
    }
    if (!(await hasContent(top, mountpoint))) {
      notes.push(`${stays}: the tree has nothing in ${mountpoint}`);
      continue;
    }
    const step = `laying out partition ${partition.number}`;
    onStep(step);
    const part = { targetPath, workFolder: join(workFolder, `partition-${partition.number}`), signal, onStep };
    await mkdir(part.workFolder);
    if (partition.filesystemType === "vfat") await fillFat(join(top, mountpoint), partition, part);
    else if (isExt(partition.filesystemType)) await fillExt(join(top, mountpoint), partition, [], step, part);
    else
      throw underivable(
        `${mountpoint} is mounted from partition ${partition.number}, which has no ext or FAT filesystem`,
      );
    elsewhere.push(mountpoint);
  }
  const part = { targetPath, workFolder: join(workFolder, `partition-${root.number}`), signal, onStep };
  await mkdir(part.workFolder);
  await fillExt(top, root, elsewhere, `laying out partition ${root.number}`, part);
  return notes;
}

async function fillExt(
  path: string,
  partition: Partition,
  elsewhere: readonly string[],
  step: string,
  { targetPath, workFolder, signal, onStep }: Derivation,
): Promise<void> {
  await deriveExt({
    target: { path: targetPath, offsetBytes: partition.offsetBytes, lengthBytes: partition.lengthBytes },
    grown: false,
    source: { kind: "folder", path, elsewhere },
    workFolder,
    signal,
    onPercent: (percent) => onStep(`${step} ${percent}%`),
  });
}

/** Through a FAT filesystem that mtools fill: they know how long and short names are made. */
async function fillFat(
  path: string,
  { offsetBytes, lengthBytes }: Partition,
  { targetPath, workFolder, signal }: Derivation,
): Promise<void> {
  const image = join(workFolder, "fat.img");
  // mcopy would follow a symbolic link, to anywhere.
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const other = entries.find((entry) => !entry.isFile() && !entry.isDirectory());
  if (other !== undefined) {
    const name = printable(join(other.parentPath, other.name).slice(path.length + 1));
    throw underivable(`"${name}" belongs in a FAT filesystem but is neither a file nor a folder`);
  }
  const file = await open(image, "wx+");
  try {
    await file.truncate(lengthBytes);
    const names = (await readdir(path)).map((name) => join(path, name));
    await run("mkfs.vfat", [image], signal);
    await run("mcopy", ["-s", "-m", "-Q", "-i", image, ...names, "::"], signal);
    const target = await open(targetPath, "r+");
    try {
      await deriveFat(
        { file: target, offsetBytes, lengthBytes },
        { file, offsetBytes: 0, lengthBytes },
        { keepIdentity: true, signal },
      );
    } finally {
      await target.close();
    }
  } finally {
    await file.close();
  }
}

/** Whether there is anything in a folder of the tree; a way that leads through symbolic links does not count. */
async function hasContent(top: string, folder: string): Promise<boolean> {
  const path = join(top, folder);
  try {
    return (await realpath(path)) === path && (await readdir(path)).length > 0;
  } catch (error) {
    if (isAbsence(error)) return false;
    throw error;
  }
}

async function readFstab(top: string): Promise<string> {
  const path = join(top, "etc", "fstab");
  try {
    if ((await realpath(path)) !== path) return "";
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const bytes = Buffer.alloc(maximumFstabBytes);
      return bytes.toString("utf8", 0, (await file.read(bytes, 0, bytes.length, 0)).bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isAbsence(error)) return "";
    throw error;
  }
}

function isAbsence(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR" || code === "ELOOP";
}

async function run(command: string, args: readonly string[], signal: AbortSignal): Promise<void> {
  const env = {
    MTOOLSRC: "/dev/null",
    LC_ALL: "C.UTF-8",
    TZ: "UTC",
    PATH: systemPath(process.env["PATH"]),
  };
  try {
    await execa(command, [...args], { env, stdin: "ignore", cancelSignal: signal });
  } catch (cause) {
    if (signal.aborted) throw new Failure("cancelled", `${command} was cancelled`, { cause });
    const said = (cause as { stderr?: string }).stderr?.trim() || (cause as Error).message;
    throw new Failure("tool-failed", `${command} failed: ${said.split("\n").slice(-2).join("; ")}`, { cause });
  }
}
