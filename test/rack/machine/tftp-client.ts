import { createSocket, type RemoteInfo, type Socket } from "node:dgram";

/** What to fetch, and how. Defaults are those of U-Boot's `tftp` command on a Raspberry Pi. */
export interface TftpGetOptions {
  /** Server: IPv4 address and UDP port. */
  readonly address: string;
  readonly port: number;
  readonly path: string;
  /** IPv4 address to send from. */
  readonly localAddress?: string;
  /** Block size in bytes to ask for (RFC 2348); 512 sends no option. Default 1468. */
  readonly blksize?: number;
  /** Blocks per acknowledgement to ask for (RFC 7440); 1 sends no option. Default 8. */
  readonly windowsize?: number;
  /** Silence after which the last packet is sent again. Default 5000. */
  readonly timeoutMs?: number;
  /** Silences in a row after which the fetch fails. Default 10. */
  readonly maxTimeouts?: number;
  readonly signal?: AbortSignal;
}

/** The server ended the transfer with an ERROR packet (RFC 1350 section 5, table of codes in its appendix). */
export class TftpError extends Error {
  readonly code: number;

  constructor(code: number, message: string, path: string) {
    super(`TFTP error ${code} for ${path}: ${message}`);
    this.name = "TftpError";
    this.code = code;
  }
}

/** The server fell silent. */
export class TftpTimeout extends Error {
  constructor(path: string, blocks: number) {
    super(`TFTP server fell silent for ${path} after ${blocks} blocks`);
    this.name = "TftpTimeout";
  }
}

const opcode = { readRequest: 1, data: 3, acknowledge: 4, error: 5, optionAcknowledge: 6 } as const;

/**
 * Fetches a file the way U-Boot's client does (net/tftp.c): octet mode; the options timeout, tsize, blksize and
 * windowsize; blocks in order only; one acknowledgement per window and one, not more, for each gap in it; after a
 * silence the request, or the acknowledgement of what came, again. It shares no code with the controller's server, so
 * each can prove the other wrong.
 *
 * Throws TftpError, TftpTimeout, the signal's reason, or the error of the socket.
 */
export async function tftpGet(options: TftpGetOptions): Promise<Buffer> {
  options.signal?.throwIfAborted();
  const socket = createSocket("udp4");
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.bind(0, options.localAddress, () => {
        socket.off("error", reject);
        resolve();
      });
    });
    return await receive(socket, options);
  } finally {
    socket.close();
  }
}

function receive(socket: Socket, options: TftpGetOptions): Promise<Buffer> {
  const { path, signal, timeoutMs = 5000, maxTimeouts = 10 } = options;
  const askedWindow = options.windowsize ?? 8;
  return new Promise((resolve, reject) => {
    const blocks: Buffer[] = [];
    let blockSize = 512;
    let windowSize = 1;
    let serverPort: number | undefined;
    let nextAcknowledged = 1;
    let lastGap = -1;
    let silences = 0;
    const request = encodeReadRequest(options);

    const finish = (outcome: Buffer | Error): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      socket.off("message", onMessage);
      if (Buffer.isBuffer(outcome)) resolve(outcome);
      else reject(outcome);
    };
    const send = (packet: Buffer): void => {
      socket.send(packet, serverPort ?? options.port, options.address, (error) => error && finish(error));
    };
    const acknowledge = (): void => {
      send(Buffer.from([0, opcode.acknowledge, (blocks.length >> 8) & 0xff, blocks.length & 0xff]));
      nextAcknowledged = blocks.length + windowSize;
    };
    const onAbort = (): void => {
      if (serverPort !== undefined) send(encodeError(0, "aborted"));
      finish(signal?.reason instanceof Error ? signal.reason : new Error("aborted"));
    };
    const onSilence = (): void => {
      silences += 1;
      if (silences > maxTimeouts) {
        finish(new TftpTimeout(path, blocks.length));
        return;
      }
      timer.refresh();
      lastGap = -1;
      if (serverPort === undefined) send(request);
      else acknowledge();
    };
    const onData = (packet: Buffer): void => {
      if (packet.readUInt16BE(2) !== ((blocks.length + 1) & 0xffff)) {
        if (lastGap !== blocks.length) acknowledge();
        lastGap = blocks.length;
        return;
      }
      blocks.push(packet.subarray(4));
      silences = 0;
      timer.refresh();
      if (packet.length - 4 < blockSize) {
        acknowledge();
        finish(Buffer.concat(blocks));
      } else if (blocks.length === nextAcknowledged) acknowledge();
    };
    const onMessage = (packet: Buffer, from: RemoteInfo): void => {
      if (from.address !== options.address || packet.length < 4) return;
      if (serverPort !== undefined && from.port !== serverPort) return;
      switch (packet.readUInt16BE(0)) {
        case opcode.error:
          finish(new TftpError(packet.readUInt16BE(2), text(packet.subarray(4)), path));
          break;
        case opcode.optionAcknowledge: {
          if (blocks.length > 0) return;
          serverPort = from.port;
          const accepted = decodeOptions(packet.subarray(2));
          blockSize = Number(accepted.get("blksize") ?? 512);
          windowSize = Number(accepted.get("windowsize") ?? 1);
          if (windowSize > askedWindow) finish(new Error(`server chose windowsize ${windowSize}`));
          else acknowledge();
          break;
        }
        case opcode.data:
          serverPort = from.port;
          if (packet.length - 4 <= blockSize) onData(packet);
          break;
      }
    };

    const timer = setTimeout(onSilence, timeoutMs);
    signal?.addEventListener("abort", onAbort, { once: true });
    socket.on("message", onMessage);
    socket.on("error", finish);
    send(request);
  });
}

function encodeReadRequest(options: TftpGetOptions): Buffer {
  const { path, blksize = 1468, windowsize = 8, timeoutMs = 5000 } = options;
  const words = [path, "octet", "timeout", String(Math.max(1, Math.round(timeoutMs / 1000))), "tsize", "0"];
  if (blksize !== 512) words.push("blksize", String(blksize));
  if (windowsize !== 1) words.push("windowsize", String(windowsize));
  return Buffer.concat([Buffer.from([0, opcode.readRequest]), Buffer.from(`${words.join("\0")}\0`)]);
}

function encodeError(code: number, message: string): Buffer {
  return Buffer.concat([Buffer.from([0, opcode.error, 0, code]), Buffer.from(`${message}\0`)]);
}

function decodeOptions(bytes: Buffer): Map<string, string> {
  const words = bytes.toString("latin1").split("\0");
  const options = new Map<string, string>();
  for (let index = 0; index + 1 < words.length; index += 2)
    options.set((words[index] ?? "").toLowerCase(), words[index + 1] ?? "");
  return options;
}

function text(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString("utf8", 0, end === -1 ? bytes.length : end);
}
