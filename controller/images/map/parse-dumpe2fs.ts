import { Failure } from "../../../proto/failure.ts";
import { createRunCollector } from "./extents.ts";
import type { FilesystemUsage } from "./unused-map.ts";

/** Where a filesystem is in an image, and in what pieces the image is packed. In bytes. */
export interface FilesystemFrame {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  readonly chunkBytes: number;
}

/**
 * What an ext2, ext3 or ext4 filesystem has free, from dumpe2fs(8). Its block bitmaps count only when it was unmounted
 * cleanly: after that nothing in its journal, and nothing but its bitmaps, says which blocks are taken. Throws Failure
 * `unsupported` when they do not count, and `image-damaged` when they contradict the rest.
 */
export function parseDumpe2fs(output: string, frame: FilesystemFrame): FilesystemUsage {
  const header = output.slice(0, headerEnd(output));
  const field = (name: string): string | undefined =>
    new RegExp(`^${name}:[ \\t]*(.*)$`, "m").exec(header)?.[1]?.trim();
  const number = (name: string): number => {
    const value = Number(field(name) ?? Number.NaN);
    if (Number.isSafeInteger(value) && value >= 0) return value;
    throw damaged(`dumpe2fs gave no "${name}"`);
  };
  const state = field("Filesystem state");
  const features = (field("Filesystem features") ?? "").split(/\s+/);
  if (state !== "clean") throw unsupported(`its state is "${state ?? "unknown"}"`);
  for (const open of ["needs_recovery", "orphan_present"]) {
    if (features.includes(open)) throw unsupported(`it was not unmounted cleanly (${open})`);
  }
  if (features.includes("bigalloc")) throw unsupported("it counts clusters, not blocks (bigalloc)");

  const blockBytes = number("Block size");
  const blockCount = number("Block count");
  const freeBlocks = number("Free blocks");
  const firstBlock = number("First block");
  const size = blockCount * blockBytes;
  if (blockBytes < 1024 || size > frame.lengthBytes) {
    throw damaged(`it is larger (${size} bytes) than its partition (${frame.lengthBytes} bytes)`);
  }

  const runs = createRunCollector(frame.chunkBytes);
  let counted = 0;
  let previous = -1;
  let groups = 0;
  let listed = 0;
  for (const [, group, list] of output.matchAll(/^(Group \d+:)|^ {2}Free blocks:(.*)$/gm)) {
    if (group !== undefined) groups += 1;
    if (list === undefined) continue;
    listed += 1;
    for (const item of list.split(",").map((text) => text.trim())) {
      if (item === "") continue;
      const range = /^(\d+)(?:-(\d+))?$/.exec(item);
      const first = Number(range?.[1] ?? Number.NaN);
      const last = Number(range?.[2] ?? range?.[1] ?? Number.NaN);
      if (!(first > previous && last >= first && first >= firstBlock && last < blockCount)) {
        throw damaged(`dumpe2fs lists "${item.slice(0, 40)}" as free blocks of ${blockCount}`);
      }
      counted += last - first + 1;
      previous = last;
      runs.add(frame.offsetBytes + first * blockBytes, frame.offsetBytes + (last + 1) * blockBytes);
    }
  }
  if (groups === 0 || listed !== groups) throw damaged(`dumpe2fs could read only ${listed} of ${groups} block bitmaps`);
  if (counted !== freeBlocks) {
    throw damaged(`its bitmaps have ${counted} free blocks, but its superblock says ${freeBlocks}`);
  }
  return { start: frame.offsetBytes, end: frame.offsetBytes + size, free: runs.runs() };
}

/** Where the description of the groups begins. */
function headerEnd(output: string): number {
  const at = output.search(/^Group 0:/m);
  return at < 0 ? output.length : at;
}

function unsupported(what: string): Failure {
  return new Failure("unsupported", `the free space of its ext filesystem cannot be trusted: ${what}`);
}

function damaged(what: string): Failure {
  return new Failure("image-damaged", `its ext filesystem contradicts itself: ${what}`);
}
