import { createReadStream } from "node:fs";
import { Failure, messageOf } from "../../../proto/failure.ts";
import { type Location, shownLocation } from "../download/location.ts";
import { openDownload } from "../download/open-download.ts";
import { printable } from "../render/printable.ts";
import type { CommandContext } from "./command-context.ts";

/**
 * All of a small file, from a web server or from this machine. Throws Failure if it cannot be read, is empty, or is
 * larger than that.
 */
export async function readLocation(location: Location, mostBytes: number, context: CommandContext): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  const collect = async (source: AsyncIterable<Uint8Array>): Promise<void> => {
    for await (const part of source) {
      bytes += part.length;
      if (bytes > mostBytes) throw tooLarge();
      parts.push(part);
    }
  };
  const tooLarge = () =>
    new Failure(
      "invalid",
      `${shownLocation(location)} has more than ${mostBytes} bytes: check that it is what is meant`,
    );
  if (location.kind === "file") {
    try {
      await collect(createReadStream(location.path));
    } catch (cause) {
      if (cause instanceof Failure) throw cause;
      throw new Failure("invalid", `cannot read ${location.path}: ${messageOf(cause)}`, { cause });
    }
  } else {
    const download = await openDownload(location.url, {
      ...{ signal: context.signal, clock: context.effects.clock, mostBytes },
      // What is read this way says itself where it ends.
      isVouched: true,
      onTrouble: (sentence) => context.note([printable(sentence)]),
    });
    try {
      await collect(download.bytes);
    } finally {
      download.close();
    }
  }
  if (bytes === 0) throw new Failure("invalid", `${shownLocation(location)} is empty`);
  return Buffer.concat(parts);
}
