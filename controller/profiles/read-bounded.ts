import { constants, type Stats } from "node:fs";
import { type FileHandle, open, readlink, realpath } from "node:fs/promises";
import { sep } from "node:path";
import { describeUnreadable } from "../refusal/unreadable.ts";

/** What is wrong with a text that is none, as a clause. */
export const noText = "is no text in UTF-8; save it as that";

/**
 * Reads a file of a folder of profiles, or says what is wrong with it, as a clause. Nobody waits for a pipe.
 *
 * @param judge what is wrong with it, if anything: it has not been read then
 * @param within folder that it has to be in, wherever links on the way lead; any for undefined
 */
export async function readBounded(
  path: string,
  judge: (stats: Stats) => string | undefined,
  within?: string,
): Promise<Uint8Array | string> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await handle.stat();
    if (!stats.isFile()) return "is no file";
    if (within !== undefined) {
      // Of what was opened: a path could lead elsewhere by now.
      const place = await readlink(`/proc/self/fd/${handle.fd}`);
      if (!place.startsWith(`${await realpath(within)}${sep}`))
        return `leads out of ${within} by a link: have the file itself there`;
    }
    const problem = judge(stats);
    if (problem !== undefined) return problem;
    const bytes = Buffer.alloc(stats.size);
    let length = 0;
    while (length < bytes.length) {
      const { bytesRead } = await handle.read(bytes, length, bytes.length - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return bytes.subarray(0, length);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === "ENOENT" ? "is not there" : describeUnreadable(path, code ?? message);
  } finally {
    await handle?.close();
  }
}

/** The text of a file, without a byte order mark; undefined for bytes that are none in UTF-8. */
export function utf8Of(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
