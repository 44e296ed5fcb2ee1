import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A web server on a free port of 127.0.0.1. */
export interface AWebServer {
  /** The address of a path. */
  url(path: string): string;
  /** Each request that it got: its path, and its range. */
  readonly asked: { readonly path: string; readonly range: string | undefined }[];
  close(): Promise<void>;
}

/** Starts one that answers as told. */
export async function startWebServer(
  answer: (request: IncomingMessage, response: ServerResponse, count: number) => void,
): Promise<AWebServer> {
  const asked: AWebServer["asked"] = [];
  const server = createServer((request, response) => {
    asked.push({ path: request.url ?? "", range: request.headers.range });
    response.on("error", () => undefined);
    answer(request, response, asked.length);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: (path) => `http://127.0.0.1:${port}${path}`,
    asked,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The version of a file that is served unless told otherwise. */
export const aVersion = { etag: '"v1"', "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT" };

/**
 * Answers as a server with ranges does (RFC 9110 section 14), but ends the connection after some bytes of the body.
 *
 * @param breakAfter bytes; all of them unless given
 */
export function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  content: Buffer,
  { breakAfter, version = aVersion }: { breakAfter?: number | undefined; version?: Record<string, string> } = {},
): void {
  const isSame = [undefined, version["etag"], version["last-modified"]].includes(
    request.headers["if-range"] as string | undefined,
  );
  const from = isSame ? /^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] : undefined;
  const start = Number(from ?? 0);
  const range = { "content-range": `bytes ${start}-${content.length - 1}/${content.length}` };
  response.writeHead(from === undefined ? 200 : 206, {
    ...version,
    "content-length": content.length - start,
    ...(from !== undefined && range),
  });
  if (breakAfter === undefined) response.end(content.subarray(start));
  else response.write(content.subarray(start, start + breakAfter), () => setTimeout(() => response.destroy(), 20));
}
