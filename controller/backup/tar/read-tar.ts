import { Failure } from "../../../proto/failure.ts";
import { paddingAfter, parseLongName, parseTarHeader, tarBlockBytes } from "./tar-header.ts";

/** A file as it comes out of an archive. */
export interface ReadMember {
  readonly name: string;
  readonly sizeBytes: number;
  /** To be read to its end before the next file is asked for. Throws a Failure (invalid) when the archive ends in it. */
  content(): AsyncIterable<Uint8Array>;
}

/**
 * The files of an archive of plain files, one after the other, whatever the pieces in which its bytes come. Throws a
 * Failure (invalid) for anything else than a whole archive of files; what is no file is never passed on.
 */
export async function* readTar(bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<ReadMember> {
  const source = sourceOf(bytes);
  try {
    let name: string | undefined;
    for (;;) {
      const header = parseTarHeader(await source.exactly(tarBlockBytes));
      if (header.kind === "end") break;
      const { sizeBytes } = header;
      if (header.kind === "long-name") {
        if (name !== undefined) throw new Failure("invalid", "it has two names for one file");
        name = parseLongName(await source.exactly(sizeBytes));
        await source.exactly(paddingAfter(sizeBytes));
        continue;
      }
      let left = sizeBytes;
      const content = async function* (): AsyncGenerator<Uint8Array> {
        while (left > 0) {
          const piece = await source.some(left);
          left -= piece.length;
          yield piece;
        }
      };
      yield { name: name ?? header.name, sizeBytes, content };
      if (left > 0) throw new Error("the next file of an archive was asked for before the last one was read");
      await source.exactly(paddingAfter(sizeBytes));
      name = undefined;
    }
    // Its end is two blocks of zeros, and tar(1) fills up a record with more of them.
    if (name !== undefined) throw new Failure("invalid", "it ends after a name");
    await source.exactly(tarBlockBytes);
    await source.onlyZeros();
  } finally {
    await source.close();
  }
}

function sourceOf(bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
  const pieces =
    Symbol.asyncIterator in bytes ? bytes[Symbol.asyncIterator]() : (bytes as Iterable<Uint8Array>)[Symbol.iterator]();
  let held: Uint8Array = new Uint8Array();

  async function next(): Promise<boolean> {
    const step = await pieces.next();
    if (step.done === true) return false;
    held = step.value;
    return true;
  }

  /** At least one byte and at most so many. */
  async function some(most: number): Promise<Uint8Array> {
    while (held.length === 0) {
      if (!(await next())) throw new Failure("invalid", "it is cut off: its end is missing");
    }
    const piece = held.subarray(0, most);
    held = held.subarray(piece.length);
    return piece;
  }

  return {
    some,
    async exactly(count: number): Promise<Uint8Array> {
      const parts: Uint8Array[] = [];
      for (let missing = count; missing > 0; ) {
        const piece = await some(missing);
        parts.push(piece);
        missing -= piece.length;
      }
      return Buffer.concat(parts);
    },
    async onlyZeros(): Promise<void> {
      do {
        if (held.some((byte) => byte !== 0)) throw new Failure("invalid", "something follows its end");
      } while (await next());
    },
    async close(): Promise<void> {
      await pieces.return?.(undefined);
    },
  };
}
