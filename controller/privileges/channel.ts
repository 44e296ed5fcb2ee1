import { once } from "node:events";
import type { Socket } from "node:net";
import { Failure } from "../../proto/failure.ts";
import { createFrameDecoder, encodeBytes, encodeValue, endOfStream, type Message } from "./frames.ts";

/** Messages and streams over one connection, one after the other. */
export interface Channel {
  /** The next message; undefined once the other side has ended. Throws Failure `invalid` for what is none. */
  next(): Promise<Message | undefined>;
  /** Throws Failure `node-silent` when the other side is gone, or does not read. */
  send(value: object): Promise<void>;
  /** Sends a stream to its end. Throws as `send` does; errors of the stream come through. */
  sendStream(bytes: AsyncIterable<Uint8Array>): Promise<void>;
  /**
   * A stream that the other side sends. What is left of one before that was not read to its end is passed over. Throws the
   * failure that comes in its place, as `failureIn` reads it; Failure `node-silent` where it is cut off.
   */
  receiveStream(failureIn?: (value: unknown) => Failure | undefined): AsyncGenerator<Uint8Array>;
  /** Aborts when the other side has ended, or is gone. */
  readonly ended: AbortSignal;
  close(): void;
}

/** Messages that wait until nothing more is read. */
const mostWaiting = 64;
/** What may wait to be read by the other side, in bytes, beside a stream. */
const mostUnsentBytes = 8 * 2 ** 20;

export function createChannel(socket: Socket): Channel {
  const decoder = createFrameDecoder();
  const waiting: Message[] = [];
  const ending = new AbortController();
  let failure: unknown;
  let isInStream = false;
  let wake = (): void => undefined;
  const end = (): void => {
    ending.abort(gone());
    wake();
  };
  socket.on("data", (chunk) => {
    try {
      waiting.push(...decoder.push(chunk));
    } catch (error) {
      failure = error;
      socket.removeAllListeners("data");
      // Taken in, so that the other side gets to read why.
      socket.on("data", () => undefined);
      socket.resume();
    }
    if (failure === undefined && waiting.length >= mostWaiting) socket.pause();
    wake();
  });
  for (const event of ["end", "close", "error"]) socket.on(event, end);

  async function next(): Promise<Message | undefined> {
    for (;;) {
      const message = waiting.shift();
      if (message !== undefined) {
        if (waiting.length < mostWaiting / 2) socket.resume();
        return message;
      }
      if (failure !== undefined) throw failure;
      if (ending.signal.aborted) return undefined;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }

  async function write(bytes: Uint8Array): Promise<void> {
    if (socket.destroyed || !socket.writable) throw gone();
    if (socket.write(bytes)) return;
    await once(socket, "drain", { signal: ending.signal }).catch(() => {
      throw gone();
    });
  }

  return {
    next,
    async send(value) {
      if (socket.destroyed || !socket.writable) throw gone();
      if (socket.writableLength > mostUnsentBytes) {
        socket.destroy();
        throw gone();
      }
      socket.write(encodeValue(value));
    },
    async sendStream(bytes) {
      for await (const piece of bytes) for (const frame of encodeBytes(piece)) await write(frame);
      await write(endOfStream);
    },
    async *receiveStream(failureIn = () => undefined) {
      const step = async (): Promise<Uint8Array | undefined> => {
        const message = await next();
        if (message?.kind === "bytes") return message.bytes;
        isInStream = false;
        if (message?.kind === "end") return undefined;
        throw message === undefined
          ? gone()
          : (failureIn(message.value) ?? new Failure("invalid", "an object came in the middle of a stream"));
      };
      while (isInStream) await step();
      isInStream = true;
      for (let piece = await step(); piece !== undefined; piece = await step()) yield piece;
    },
    ended: ending.signal,
    close: () => void socket.destroy(),
  };
}

function gone(): Failure {
  return new Failure("node-silent", "the connection between the controller and its broker has ended");
}
