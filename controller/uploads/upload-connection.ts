import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { Failure } from "../../proto/failure.ts";
import { loadLibc } from "../../proto/linux/libc.ts";
import { descriptorOf } from "./descriptor-of.ts";
import { taken, tokenBytes } from "./upload-socket.ts";

/** How long the call may take to say why the controller reads no more, in milliseconds. */
const reasonMs = 5_000;

/** A file, in pieces that may be used again once they are released. */
export interface SentPieces {
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly release?: (piece: Uint8Array) => void;
}

/** A connection to a controller's upload socket. */
export interface UploadConnection {
  /** What the call has to name. */
  readonly token: string;
  /**
   * Sends everything, no faster than the controller reads it. Where the controller reads no more, this waits a while
   * before it throws: its call says why.
   */
  send(file: SentPieces): Promise<void>;
  close(): void;
}

/**
 * Connects to an upload socket; resolves with undefined where that cannot be. The call can bring the bytes too, and says
 * what is wrong if the controller cannot be reached at all.
 */
export async function openUploadConnection(path: string): Promise<UploadConnection | undefined> {
  const socket = connect(path);
  try {
    await once(socket, "connect");
  } catch {
    return undefined;
  }
  let failure: Error | undefined;
  socket.on("error", (error) => {
    failure ??= error;
  });
  const token = randomBytes(tokenBytes / 2).toString("hex");
  socket.write(token, "latin1");

  async function sendAll({ bytes, release }: SentPieces): Promise<void> {
    let before: Promise<void> = Promise.resolve();
    for await (const piece of bytes) {
      await before;
      before = write(socket, piece).then(() => release?.(piece));
      // It is waited for in its turn, perhaps never when the source fails first.
      before.catch(() => undefined);
    }
    await before;
  }
  return {
    token,
    async send(file) {
      try {
        await sendAll(file);
      } catch (error) {
        if (!socket.destroyed) throw error;
        await delay(reasonMs, undefined, { ref: false });
        throw new Failure("node-silent", "the controller reads no more of the file; see its log", {
          cause: failure ?? error,
        });
      }
      socket.end();
    },
    close: () => void socket.destroy(),
  };
}

/**
 * Hands an open file to a controller on its file socket. Resolves with undefined where that cannot be, or where the
 * controller does not take it: its bytes can be sent.
 *
 * @param descriptor of the file, which stays open here; the controller reads it while the connection is open
 */
export async function handFile(path: string, descriptor: number): Promise<Omit<UploadConnection, "send"> | undefined> {
  const socket = connect(path);
  try {
    await once(socket, "connect");
    const token = randomBytes(tokenBytes / 2).toString("hex");
    loadLibc().sendDescriptor(descriptorOf(socket), Buffer.from(token, "latin1"), descriptor);
    const answer = await new Promise<string>((resolve) => {
      socket.once("data", (bytes) => resolve(bytes.toString("latin1")));
      socket.once("close", () => resolve(""));
      socket.once("error", () => resolve(""));
    });
    if (answer === taken) return { token, close: () => void socket.destroy() };
  } catch {
    // Bytes can be sent from a machine without such calls, too.
  }
  socket.destroy();
  return undefined;
}

function write(socket: Socket, piece: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.write(piece, (error) => (error ? reject(error) : resolve()));
  });
}
