import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";

/** What the server does with one request; whatever is left out is done right. */
export interface Behaviour {
  readonly statusCode?: number;
  readonly headers?: Record<string, string>;
  /** Destroys the socket once so many bytes of the body were sent. */
  readonly cutAfterBytes?: number;
  /** Sends so many bytes of the body and then nothing, for ever. */
  readonly stallAfterBytes?: number;
  /** Never even sends the head of an answer. */
  readonly silent?: boolean;
  /** Serves these bytes instead. */
  readonly content?: Buffer;
}

/** One request as it came. */
export interface SeenRequest {
  readonly fromByte: number;
  readonly ifRange: string | undefined;
}

/** A server of one image. */
export interface ImageServer {
  readonly url: string;
  readonly seen: SeenRequest[];
  /** Number of connections that are open now. */
  openConnections(): number;
}

/** An HTTP server with Range on a free loopback port that misbehaves as it is told, request by request. */
export async function anImageServer(
  test: TestContext,
  content: Buffer,
  behave: (request: number, fromByte: number) => Behaviour = () => ({}),
): Promise<ImageServer> {
  const seen: SeenRequest[] = [];
  let connections = 0;
  const server = createServer((request, response) => {
    const fromByte = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? Number.NaN);
    seen.push({ fromByte, ifRange: request.headers["if-range"]?.toString() });
    const behaviour = behave(seen.length, fromByte);
    if (behaviour.silent === true) return;
    answer(response, behaviour.content ?? content, fromByte, behaviour);
  });
  server.on("connection", (socket) => {
    connections += 1;
    socket.on("close", () => {
      connections -= 1;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  test.after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/images/test.zst`, seen, openConnections: () => connections };
}

function answer(response: ServerResponse, content: Buffer, fromByte: number, behaviour: Behaviour): void {
  const body = content.subarray(fromByte);
  response.writeHead(behaviour.statusCode ?? 206, {
    etag: '"one"',
    "content-length": body.length,
    "content-range": `bytes ${fromByte}-${content.length - 1}/${content.length}`,
    ...behaviour.headers,
  });
  const limit = behaviour.cutAfterBytes ?? behaviour.stallAfterBytes;
  if (limit === undefined || limit >= body.length) {
    response.end(body);
    return;
  }
  response.write(body.subarray(0, limit), () => {
    if (behaviour.cutAfterBytes !== undefined) response.socket?.destroy();
  });
}
