import fs from "node:fs";
import type { SendOptions } from "send";
import type { Pacer } from "../uplink/pacer.ts";

type Read = (
  fd: number,
  buffer: NodeJS.ArrayBufferView,
  offset: number,
  length: number,
  position: number | null,
  callback: (error: Error | null, bytesRead?: number, buffer?: NodeJS.ArrayBufferView) => void,
) => void;

/**
 * Options for `send` that make it read a file only as fast as the pacer lets its bytes go to the node. `send` passes
 * its options to fs.createReadStream, which accepts the read functions to use and how much to read at once.
 */
export function pacedReading(pacer: Pacer, node: string, signal: AbortSignal): SendOptions {
  const read: Read = (fd, buffer, offset, length, position, callback) => {
    pacer.take(node, length, signal).then(
      () => fs.read(fd, buffer, offset, length, position, callback),
      (error: Error) => callback(error),
    );
  };
  const options = { highWaterMark: pacer.pieceBytes, fs: { open: fs.open, close: fs.close, read } };
  return options as SendOptions;
}
