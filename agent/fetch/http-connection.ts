import { connect, type Socket } from "node:net";
import { connect as connectSecurely, type PeerCertificate, type SecureContext } from "node:tls";
import { Failure } from "../../proto/failure.ts";
import { type ResponseHead, TemporaryError } from "./check-partial-response.ts";
import { maxHeadBytes, parseResponseHead, readContentLength } from "./parse-response-head.ts";

/** Bytes that are read from the connection at once. */
const readBytes = 128 * 1024;

/** Receives an answer; what it throws ends the connection. */
export interface Receiver {
  onHead(head: ResponseHead): void;
  /** The bytes are those of the answer only until this returns. */
  onBody(bytes: Uint8Array): void;
}

/** A connection to a server that carries one GET after the other (RFC 9112 section 9.3). */
export interface HttpConnection {
  /**
   * Asks and resolves when the whole answer has come. Rejects with what the receiver throws, and with the reason for
   * which the connection broke or was closed. One at a time.
   */
  get(headers: Readonly<Record<string, string>>, receiver: Receiver): Promise<void>;
  /** Whether another request may be sent over it. */
  readonly usable: boolean;
  /** Whether something came over it before the current request. */
  readonly used: boolean;
  close(reason: Error): void;
}

/** How to connect by TLS to the one server that is believed. */
export interface FetchTls {
  readonly secureContext: SecureContext;
  /** Sent as the name that is wanted (SNI), whatever the address. */
  readonly servername: string;
  /** Besides signature and time: whether it is the server that is meant. */
  readonly checkServerIdentity: (host: string, certificate: PeerCertificate) => Error | undefined;
}

/**
 * Connects for GETs of one URL, by TLS where it is told how, and plainly otherwise. This is all of HTTP that a download needs, because node:http leaves every piece that
 * arrives to the garbage collector: for a pack of 230 MB it took 0.37 CPU-s and 150 MiB where this takes 0.09 and 68
 * (measured), and a Pi has neither to spare. What arrives goes into one buffer again and again.
 */
export function openHttpConnection(url: URL, idleTimeoutMs: number, tls?: FetchTls): HttpConnection {
  const buffer = Buffer.allocUnsafeSlow(readBytes);
  let current: { readonly receiver: Receiver; readonly settle: (error?: unknown) => void } | undefined;
  /** The part of the header received so far. */
  let head = Buffer.alloc(0);
  let bodyLeft: number | undefined;
  let usable = true;
  let used = false;
  let brokenBy: unknown;

  const settle = (error?: unknown): void => {
    const request = current;
    current = undefined;
    request?.settle(error);
  };
  const breakOff = (error: unknown): void => {
    usable = false;
    brokenBy ??= error;
    socket.destroy();
    settle(brokenBy);
  };
  const receive = (bytes: Buffer): void => {
    if (current === undefined)
      throw new Failure("fetch-failed", `the server of ${url} sent bytes that were not requested`);
    let body: Uint8Array = bytes;
    if (bodyLeft === undefined) {
      const before = head.length;
      head = Buffer.concat([head, bytes.subarray(0, maxHeadBytes + 4)]);
      const parsed = parseResponseHead(head);
      if (parsed === undefined) return;
      body = bytes.subarray(parsed.lengthBytes - before);
      current.receiver.onHead(parsed.head);
      bodyLeft = readContentLength(parsed.head);
      if (/(^|,)\s*close\s*(,|$)/i.test(String(parsed.head.headers["connection"] ?? ""))) usable = false;
    }
    if (body.length > bodyLeft)
      throw new Failure("fetch-failed", `the server of ${url} sent more bytes than announced`);
    bodyLeft -= body.length;
    if (body.length > 0) current.receiver.onBody(body);
    if (bodyLeft > 0) return;
    used = true;
    if (!usable) socket.end();
    settle();
  };

  const options = {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: Number(url.port || (tls === undefined ? 80 : 443)),
    noDelay: true,
    onread: {
      buffer,
      callback(length: number) {
        try {
          receive(buffer.subarray(0, length));
        } catch (error) {
          breakOff(error);
        }
        return true;
      },
    },
  };
  // One handshake for all ranges of a connection. TLS has the same buffer: 230 MB took 0.52 CPU-s and 110 MB (measured).
  const socket: Socket =
    tls === undefined ? connect(options) : connectSecurely({ ...options, ...tls, ALPNProtocols: ["http/1.1"] });
  /** What is not sent before it is known who gets it. */
  let unsent: string | undefined;
  let greeted = tls === undefined;
  socket.on("secureConnect", () => {
    greeted = true;
    if (unsent !== undefined) socket.write(unsent);
  });
  socket.setTimeout(idleTimeoutMs, () => {
    breakOff(new TemporaryError(`the server was silent for ${idleTimeoutMs / 1_000} s`));
  });
  socket.on("error", breakOff);
  socket.on("close", () => breakOff(new TemporaryError("the connection ended early")));

  return {
    get: (headers, receiver) =>
      new Promise((resolve, reject) => {
        if (!usable) {
          reject(brokenBy);
          return;
        }
        current = { receiver, settle: (error) => (error === undefined ? resolve() : reject(error)) };
        head = Buffer.alloc(0);
        bodyLeft = undefined;
        const lines = Object.entries({ host: url.host, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
        const request = `GET ${url.pathname}${url.search} HTTP/1.1\r\n${lines.join("")}\r\n`;
        if (greeted) socket.write(request);
        else unsent = request;
      }),
    get usable() {
      return usable;
    },
    get used() {
      return used;
    },
    close: breakOff,
  };
}
