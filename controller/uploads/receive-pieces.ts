import { Socket } from "node:net";
import type { HandedFile } from "./handed-file.ts";
import { createPiecePool } from "./piece-pool.ts";
import { tokenBytes } from "./upload-socket.ts";

/** A connection that brings a file. */
export interface ReceivedPieces {
  /** The token that it begins with. Rejects when the connection ends before. */
  readonly token: Promise<string>;
  /**
   * The bytes behind the token up to the end of the connection, once; read from the socket no faster than they are taken
   * here. A piece stays as it is until it is released. Throws an error of the connection.
   */
  pieces(): AsyncGenerator<Uint8Array>;
  release(piece: Uint8Array): void;
  /** The file itself, where the connection brought that; `pieces` are its bytes. */
  readonly file?: HandedFile | undefined;
  close(): void;
}

/** Pieces that wait while one is worked on. */
const mostWaiting = 2;

/**
 * Reads a connection into memory that is used again.
 *
 * @param descriptor of the connection; it is closed here
 */
export function receivePieces(descriptor: number): ReceivedPieces {
  const pool = createPiecePool();
  const token = Promise.withResolvers<string>();
  // Nobody may be waiting for it any more.
  token.promise.catch(() => undefined);
  const waiting: Uint8Array[] = [];
  let target = new Uint8Array(tokenBytes);
  let filled = 0;
  let hasToken = false;
  let over: { readonly error?: Error } | undefined;
  let wake = (): void => undefined;

  const filledUp = (): void => {
    if (hasToken) waiting.push(target.subarray(0, filled));
    else token.resolve(Buffer.from(target).toString("latin1"));
    hasToken = true;
    target = pool.take() as Uint8Array<ArrayBuffer>;
    filled = 0;
    wake();
  };
  const end = (error?: Error): void => {
    over ??= error === undefined ? {} : { error };
    token.reject(error ?? new Error("the connection ended before its token"));
    wake();
  };
  const socket = new Socket({
    fd: descriptor,
    readable: true,
    writable: true,
    onread: {
      buffer: () => target.subarray(filled),
      callback(bytes) {
        filled += bytes;
        if (filled === target.length) filledUp();
        // Not to be read on: what waits is enough.
        return waiting.length < mostWaiting;
      },
    },
  });
  socket.on("end", () => {
    if (hasToken && filled > 0) filledUp();
    end();
  });
  socket.on("error", end);
  socket.on("close", () => end(new Error("the connection was closed")));

  return {
    token: token.promise,
    async *pieces() {
      while (true) {
        const piece = waiting.shift();
        if (piece !== undefined) {
          if (!socket.destroyed) socket.resume();
          yield piece;
        } else if (over !== undefined) {
          if (over.error !== undefined) throw over.error;
          return;
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    },
    release: pool.release,
    close: () => void socket.destroy(),
  };
}
