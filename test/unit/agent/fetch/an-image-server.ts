import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import type { TlsOptions } from "node:tls";

/** What the server does with one request; whatever is left out is done right. */
export interface Behaviour {
  readonly statusCode?: number;
  readonly headers?: Record<string, string>;
  /** Destroys the socket once so many bytes of the body were sent. */
  readonly cutAfterBytes?: number;
  /** Sends so many bytes of the body and then nothing, forever. */
  readonly stallAfterBytes?: number;
  /** Never even sends the head of an answer. */
  readonly silent?: boolean;
  /** Serves these bytes instead. */
  readonly content?: Buffer;
  /** Closes the connection after the answer, without having said so. */
  readonly closeAfter?: boolean;
}

/** One request as received. */
export interface SeenRequest {
  readonly fromByte: number;
  /** The last byte that is asked for. */
  readonly lastByte: number;
  readonly ifRange: string | undefined;
}

/** A server of one pack and its manifest. */
export interface ImageServer {
  readonly url: string;
  readonly manifestUrl: string;
  /** Requests for the pack. */
  readonly seen: SeenRequest[];
  /** Number of connections that are open now. */
  openConnections(): number;
  /** Number of TLS handshakes that came to their end. */
  handshakes(): number;
  /** Number of bytes of the pack that were asked for. */
  askedBytes(): number;
}

/**
 * An HTTP server, or by TLS one, with Range on a free loopback port that misbehaves as it is told, request by request for the pack; the
 * manifest is always served right.
 */
export async function anImageServer(
  test: TestContext,
  content: Buffer,
  behave: (request: number, fromByte: number) => Behaviour = () => ({}),
  manifest: Buffer | (() => Buffer) = Buffer.alloc(0),
  tls?: TlsOptions,
): Promise<ImageServer> {
  const seen: SeenRequest[] = [];
  let connections = 0;
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
    const [fromByte, lastByte] = [Number(range?.[1] ?? Number.NaN), Number(range?.[2] ?? Number.NaN)];
    if (request.url?.endsWith(".manifest") === true) {
      answer(response, typeof manifest === "function" ? manifest() : manifest, { fromByte, lastByte }, {});
      return;
    }
    seen.push({ fromByte, lastByte, ifRange: request.headers["if-range"]?.toString() });
    const behaviour = behave(seen.length, fromByte);
    if (behaviour.silent === true) return;
    answer(response, behaviour.content ?? content, { fromByte, lastByte }, behaviour);
  };
  const server = tls === undefined ? createServer(handle) : createSecureServer(tls, handle);
  let handshakes = 0;
  server.on("secureConnection", () => {
    handshakes += 1;
  });
  server.on("connection", (socket) => {
    connections += 1;
    socket.on("close", () => {
      connections -= 1;
    });
  });
  // It closes no connection by itself, however long it is idle.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  test.after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  const scheme = tls === undefined ? "http" : "https";
  return {
    url: `${scheme}://127.0.0.1:${port}/images/test.zst`,
    manifestUrl: `${scheme}://127.0.0.1:${port}/images/test.manifest`,
    seen,
    openConnections: () => connections,
    handshakes: () => handshakes,
    askedBytes: () => seen.reduce((sum, { fromByte, lastByte }) => sum + lastByte + 1 - fromByte, 0),
  };
}

function answer(
  response: ServerResponse,
  content: Buffer,
  { fromByte, lastByte }: { readonly fromByte: number; readonly lastByte: number },
  behaviour: Behaviour,
): void {
  const body = content.subarray(fromByte, lastByte + 1);
  response.writeHead(behaviour.statusCode ?? 206, {
    etag: '"one"',
    "content-length": body.length,
    "content-range": `bytes ${fromByte}-${fromByte + body.length - 1}/${content.length}`,
    ...behaviour.headers,
  });
  const limit = behaviour.cutAfterBytes ?? behaviour.stallAfterBytes;
  if (limit === undefined || limit >= body.length) {
    response.end(body, () => {
      if (behaviour.closeAfter === true) response.socket?.destroy();
    });
    return;
  }
  response.write(body.subarray(0, limit), () => {
    if (behaviour.cutAfterBytes !== undefined) response.socket?.destroy();
  });
}
