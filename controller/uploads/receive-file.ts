import { close as closeDescriptor, fstat } from "node:fs";
import { type FileHandle, open, readFile } from "node:fs/promises";
import type { Socket } from "node:net";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { Failure } from "../../proto/failure.ts";
import { loadLibc } from "../../proto/linux/libc.ts";
import type { HandedFile } from "./handed-file.ts";
import { judgeOpenFile } from "./judge-open-file.ts";
import { createPiecePool } from "./piece-pool.ts";
import type { ReceivedPieces } from "./receive-pieces.ts";
import { taken, tokenBytes } from "./upload-socket.ts";

const statDescriptor = promisify(fstat);

/** How long the message on a connection may be on its way when it is looked for again, in milliseconds. */
const longestPauseMs = 100;

/**
 * Takes a file from a connection of the file socket, and says so to who brought it.
 *
 * @param connection of which nothing is read, now or later
 * @param descriptor its file descriptor
 */
export function receiveFile(connection: Socket, descriptor: number): ReceivedPieces {
  const pool = createPiecePool();
  const token = Promise.withResolvers<string>();
  // Nobody may be waiting for it any more.
  token.promise.catch(() => undefined);
  let held: number | undefined;
  let handed: HandedFile | undefined;
  let isClosed = false;
  const close = (): void => {
    isClosed = true;
    connection.destroy();
    if (held !== undefined) closeDescriptor(held, () => undefined);
    held = undefined;
    token.reject(new Error("the connection was closed before its file came"));
  };
  connection.on("error", close);

  async function take(): Promise<string> {
    const bytes = Buffer.alloc(tokenBytes);
    for (let pauseMs = 1; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      const received = isClosed ? { bytes: 0 } : receiveNow(descriptor, bytes);
      held = received?.descriptor;
      if (received !== undefined && (received.bytes !== tokenBytes || held === undefined))
        throw new Error("the connection brought no token with an open file");
      if (received !== undefined) break;
      await delay(pauseMs, undefined, { ref: false });
    }
    if (held === undefined || isClosed) throw new Error("the connection was closed before its file came");
    handed = await openHanded(held);
    if (isClosed) throw new Error("the connection was closed");
    connection.write(taken);
    return bytes.toString("latin1");
  }
  take().then(token.resolve, (error: unknown) => {
    token.reject(error);
    close();
  });

  return {
    token: token.promise,
    get file() {
      return handed;
    },
    async *pieces() {
      if (handed === undefined) throw new Error("no file has come");
      const file = await open(handed.path, "r");
      try {
        yield* piecesOf(file, pool.take);
      } finally {
        await file.close();
      }
      await handed.assertUnchanged();
    },
    release: pool.release,
    close,
  };
}

/** What has come, if anything has. */
function receiveNow(
  socket: number,
  bytes: Uint8Array,
): { readonly bytes: number; readonly descriptor?: number } | undefined {
  try {
    return loadLibc().receiveDescriptor(socket, bytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EAGAIN") return undefined;
    throw error;
  }
}

/** Throws an Error that says why this process had better not, or cannot, read it. */
async function openHanded(descriptor: number): Promise<HandedFile> {
  const path = `/proc/${process.pid}/fd/${descriptor}`;
  const problem = judgeOpenFile({
    fdinfo: await readFile(`/proc/self/fdinfo/${descriptor}`, "utf8"),
    mountinfo: await readFile("/proc/self/mountinfo", "utf8"),
  });
  if (problem !== undefined) throw new Error(problem);
  // Not before it is known that its filesystem answers.
  const stat = await statDescriptor(descriptor, { bigint: true });
  if (!stat.isFile()) throw new Error("it is no regular file");
  // As whoever reads it will: this user may be one who may not.
  await (await open(path, "r")).close();
  const expected = stateOf(stat);
  return {
    path,
    sizeBytes: Number(stat.size),
    async assertUnchanged() {
      const found = stateOf(await statDescriptor(descriptor, { bigint: true }));
      if (found === expected) return;
      throw new Failure(
        "invalid",
        "the file was changed while it was being read, so nothing was made of it: wait until what writes it is finished, " +
          "and run this command again",
        { expected, found },
      );
    },
  };
}

/** The time of the last change of the inode counts too, because nobody can set it back. */
function stateOf(stat: { readonly size: bigint; readonly mtimeNs: bigint; readonly ctimeNs: bigint }): string {
  return `${stat.size} bytes, changed at ${stat.mtimeNs} ns, its inode at ${stat.ctimeNs} ns`;
}

async function* piecesOf(file: FileHandle, take: () => Uint8Array): AsyncGenerator<Uint8Array> {
  for (let position = 0; ; ) {
    const piece = take();
    const { bytesRead } = await file.read(piece, 0, piece.length, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield piece.subarray(0, bytesRead);
  }
}
