import { readFile, stat } from "node:fs/promises";
import { Failure } from "../../../proto/failure.ts";
import { maxBlockMapBytes } from "../../../proto/upload-limits.ts";

/** A block map and where it was found. */
export interface FoundBlockMap {
  readonly path: string;
  readonly bytes: Buffer;
}

/**
 * The block map that belongs to an image file: the one given, or the one next to it under the names that bmaptool(1)
 * tries: ".bmap" appended to the image's name, then to that name with its extensions removed one by one.
 * Undefined if there is none. Throws Failure `invalid` if it cannot be read.
 */
export async function findBlockMap(image: string, given: string | undefined): Promise<FoundBlockMap | undefined> {
  if (given !== undefined) return { path: given, bytes: await readBlockMap(given) };
  for (const path of namesBeside(image)) {
    const found = await stat(path).catch(() => undefined);
    if (found?.isFile()) return { path, bytes: await readBlockMap(path) };
  }
  return undefined;
}

/** "a/b.img.xz" gives "a/b.img.xz.bmap", "a/b.img.bmap", "a/b.bmap". */
export function namesBeside(image: string): readonly string[] {
  const names: string[] = [];
  for (let base = image; ; ) {
    names.push(`${base}.bmap`);
    const shorter = base.replace(/(?<=[^/])\.[^./]*$/, "");
    if (shorter === base) return names;
    base = shorter;
  }
}

async function readBlockMap(path: string): Promise<Buffer> {
  try {
    const { size } = await stat(path);
    if (size > maxBlockMapBytes)
      throw new Error(`it has ${size} bytes, more than ${maxBlockMapBytes}: is it a block map?`);
    const bytes = await readFile(path);
    if (bytes.length === 0) throw new Error("it is empty");
    return bytes;
  } catch (cause) {
    throw new Failure("invalid", `cannot use ${path}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}
