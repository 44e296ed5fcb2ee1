import type { X509Certificate } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import type { TLSSocket } from "node:tls";
import type { Logger } from "pino";
import send from "send";
import { createBoundedConnections } from "../../proto/connections/bounded-connections.ts";
import { limits as tableOfLimits } from "../../proto/limits.ts";
import { plainAddress } from "../../proto/names/plain-address.ts";
import { type ManifestDigest, parseManifestDigest } from "../../proto/pack/digest.ts";
import { boundStrangers } from "../tls/bound-strangers.ts";
import { logProblem } from "../tls/log-problem.ts";
import { listenTls, type ServerIdentity } from "../tls/tls-listener.ts";
import type { Pacer } from "../uplink/pacer.ts";
import type { TrafficMeter } from "../uplink/traffic-meter.ts";
import type { BootFiles } from "./boot-files.ts";
import { giveBackMemory } from "./give-back-memory.ts";
import { pacedReading } from "./paced-reading.ts";
import type { FileContent } from "./tftp/file-content.ts";

export interface HttpServerOptions {
  readonly address: string;
  /** TCP port; 0 lets the system choose. */
  readonly port: number;
  /** Absent: no boot files are served. */
  readonly files?: BootFiles;
  /** Where packs and their manifests lie; undefined for what is not in the catalogue. Absent: none are served. */
  readonly images?: PackFiles;
  /** Absent: plain HTTP. */
  readonly tls?: HttpTls;
  readonly log: Logger;
  readonly limits?: Partial<HttpLimits>;
  /** Throttles images and boot files so that limits hold; without it, they go as fast as possible. */
  readonly pacer?: Pacer;
  /** Called for every connection. */
  readonly meter?: Pick<TrafficMeter, "watch">;
  readonly signal?: AbortSignal;
}

/** The packs and their manifests. */
export interface PackFiles {
  packFile(manifestDigest: ManifestDigest, which: "pack" | "manifest"): string | undefined;
}

/** Who the server is, and who its clients have to be. */
export interface HttpTls extends ServerIdentity {
  /** Notifies of another identity until the returned function is called. */
  onChange(listener: () => void): () => void;
  /** Why the holder of this certificate is given nothing; undefined for whom everything is. */
  whyRefused(certificate: X509Certificate | undefined): string | undefined;
}

/** Bounds of the server, times in milliseconds. */
export interface HttpLimits {
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  /** Requests of one connection that may wait for their answers; each may hold a file open. */
  readonly maxRequestsAtOnce: number;
  /** A request's headers must have arrived by then. */
  readonly headersTimeoutMs: number;
  /** How long a connection may wait for its next request. */
  readonly keepAliveTimeoutMs: number;
  /** How long a connection may stall in the middle of an answer; a slow card may stop reading for a minute. */
  readonly stallTimeoutMs: number;
}

export interface HttpServer {
  readonly address: string;
  readonly port: number;
  /** Aborts running transfers; agents resume them where they were. */
  close(): Promise<void>;
}

const defaultLimits: HttpLimits = {
  maxConnections: tableOfLimits.http.connections.most,
  maxConnectionsPerAddress: tableOfLimits.http.connectionsPerAddress.most,
  maxRequestsAtOnce: tableOfLimits.http.requestsPerConnection.most,
  headersTimeoutMs: tableOfLimits.http.headersMs.most,
  keepAliveTimeoutMs: tableOfLimits.http.idleMs.most,
  stallTimeoutMs: tableOfLimits.http.stallMs.most,
};

/** How much of a boot file is in memory for one request. */
const pieceBytes = 128 * 1024;
/** How much of a pack is read at once for one request. */
const readBytes = 256 * 1024;

/**
 * Serves over HTTP (RFC 9110) what nodes fetch: GET and HEAD of
 * /images/DIGEST.zst and /images/DIGEST.manifest (packs and their manifests, by the SHA-256 of the manifest: the same
 * image may be packed in several ways; one Range, ETag, If-Range), /boot/PATH (the boot files of TFTP) and /healthz.
 * Boot files are for firmware and boot loaders, which know no TLS; packs are for whom TLS shows to be a node's agent.
 *
 * Resolves when it listens; rejects with the error of listen(2).
 */
export async function createHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { log } = options;
  const limits = { ...defaultLimits, ...options.limits };
  options.signal?.throwIfAborted();
  const connections = createBoundedConnections({
    limits: { all: limits.maxConnections, perAddress: limits.maxConnectionsPerAddress },
    tellsWork: true,
    log,
  });
  const server = createServer(
    {
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.headersTimeoutMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      // Timeouts are only checked at this interval.
      connectionsCheckingInterval: Math.min(limits.headersTimeoutMs, 5000),
      maxHeaderSize: tableOfLimits.http.headerBytes.most,
      noDelay: true,
    },
    (request, response) => {
      const { socket } = request;
      if (connections.begin(socket) > limits.maxRequestsAtOnce) socket.destroy();
      response.once("close", () => connections.end(socket));
      if (socket.destroyed) return;
      answer(options, request, response).catch((error: unknown) => {
        if (isGone(error)) return;
        log.error({ err: error, url: request.url }, "an HTTP request failed");
        if (response.headersSent) response.destroy();
        else reply(request, response, 500, "internal error in the controller");
      });
    },
  );
  server.on("connection", (socket) => {
    if (connections.admit(socket)) options.meter?.watch(socket);
  });
  server.setTimeout(limits.stallTimeoutMs, (socket: Socket) => socket.destroy());
  const listening = await (options.tls === undefined
    ? listen(server, options)
    : listenSecurely(server, options, options.tls));
  server.on("error", (error) => log.error({ err: error }, "the HTTP server has a problem"));

  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= new Promise((resolve) => {
      options.signal?.removeEventListener("abort", onAbort);
      listening.close();
      server.close(() => resolve());
      server.closeAllConnections();
    });
    return closing;
  };
  const onAbort = (): void => void close();
  options.signal?.addEventListener("abort", onAbort, { once: true });
  return { address: listening.address, port: listening.port, close };
}

interface Listening extends Pick<HttpServer, "address" | "port"> {
  close(): void;
}

function listen(server: Server, { address, port }: HttpServerOptions): Promise<Listening> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, address, () => {
      server.off("error", reject);
      resolve({ ...(server.address() as AddressInfo), close: () => undefined });
    });
  });
}

async function listenSecurely(
  server: Server,
  { address, port, log }: HttpServerOptions,
  identity: HttpTls,
): Promise<Listening> {
  const strangers = boundStrangers(log);
  const listener = await listenTls({
    ...{ address, port, protocol: "http/1.1", identity },
    secured(socket) {
      const isStranger = identity.whyRefused(socket.getPeerX509Certificate()) !== undefined;
      if (!isStranger || strangers.admit(socket)) server.emit("connection", socket);
    },
    onProblem: logProblem(log),
  });
  // From then on it enforces its timeouts; a server that is given its connections never listens itself.
  server.emit("listening");
  const stopListening = identity.onChange(listener.renew);
  return {
    ...{ address, port: listener.port },
    close() {
      stopListening();
      listener.close();
    },
  };
}

async function answer(options: HttpServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.setHeader("Allow", "GET, HEAD");
    return reply(request, response, 405, `${request.method} is not served here`);
  }
  const url = request.url ?? "/";
  const pathname = decodePath(url.split("?", 1)[0] ?? "/");
  if (pathname === undefined) return reply(request, response, 400, "the path is not percent-encoded UTF-8");
  if (pathname === "/healthz") return reply(request, response, 200, "ok");
  const { tls, images, files } = options;
  const refused = tls?.whyRefused((request.socket as TLSSocket).getPeerX509Certificate());
  if (refused !== undefined) return reply(request, response, 403, refused);
  const [, name = "", ending] = /^\/images\/([^/]+)\.(zst|manifest)$/.exec(pathname) ?? [];
  const digest = parseManifestDigest(name);
  if (digest !== undefined && images !== undefined) {
    return sendPackFile({ ...options, images }, request, response, digest, ending === "zst" ? "pack" : "manifest");
  }
  if (pathname.startsWith("/boot/") && files !== undefined)
    return sendBootFile({ ...options, files }, request, response, pathname.slice(6));
  return reply(request, response, 404, "nothing is served at this path");
}

const contentTypes = { pack: "application/zstd", manifest: "application/x-protobuf" } as const;

/** The bytes of a digest never change, so a client may resume whenever it likes. */
function sendPackFile(
  { images, pacer }: Pick<HttpServerOptions, "pacer"> & { readonly images: PackFiles },
  request: IncomingMessage,
  response: ServerResponse,
  digest: ManifestDigest,
  which: "pack" | "manifest",
): Promise<void> {
  const missing = `there is no pack with the manifest ${digest}`;
  const stored = images.packFile(digest, which);
  if (stored === undefined) {
    reply(request, response, 404, missing);
    return Promise.resolve();
  }
  const file = path.resolve(stored);
  response.setHeader("ETag", `"${digest}"`);
  response.setHeader("Content-Type", contentTypes[which]);
  const reading =
    pacer === undefined ? { highWaterMark: readBytes } : pacedReading(pacer, nodeOf(request), whileOpen(response));
  return new Promise((resolve, reject) => {
    response.once("close", resolve);
    send(request, encodeURIComponent(path.basename(file)), {
      root: path.dirname(file),
      dotfiles: "deny",
      index: false,
      immutable: true,
      maxAge: "1y",
      ...reading,
    })
      .on("error", (error: NodeJS.ErrnoException & { status?: number; headers?: Record<string, string> }) => {
        const status = error.status ?? 500;
        for (const name of response.headersSent ? [] : response.getHeaderNames()) response.removeHeader(name);
        if (status >= 500) {
          reject(error);
          return;
        }
        for (const [name, value] of Object.entries(error.headers ?? {})) response.setHeader(name, value);
        reply(request, response, status, status === 404 ? missing : error.message);
      })
      .on("stream", () => {
        giveBackMemory(response);
        // Otherwise headers are sent with the first bytes, which may have to wait.
        if (pacer !== undefined) response.flushHeaders();
      })
      .pipe(response);
  });
}

async function sendBootFile(
  { files, pacer }: Pick<HttpServerOptions, "pacer"> & { readonly files: BootFiles },
  request: IncomingMessage,
  response: ServerResponse,
  bootPath: string,
): Promise<void> {
  const opened = await files.open(bootPath, {
    address: request.socket.remoteAddress ?? "unknown",
    protocol: "http",
  });
  if (opened.kind !== "file") return reply(request, response, opened.kind === "not-found" ? 404 : 403, opened.message);
  const { content } = opened;
  let bytes = 0;
  let outcome: "served" | "aborted" = "aborted";
  try {
    response.writeHead(200, {
      "Content-Type": "application/octet-stream",
      "Content-Length": content.sizeBytes,
      "Cache-Control": "no-store",
    });
    if (request.method === "HEAD") response.end();
    else {
      if (pacer !== undefined) response.flushHeaders();
      await pipeline(async function* () {
        const signal = whileOpen(response);
        for await (const piece of piecesOf(content, pacer?.pieceBytes ?? pieceBytes)) {
          await pacer?.take(nodeOf(request), piece.length, signal);
          yield piece;
          bytes += piece.length;
        }
      }, response);
    }
    outcome = "served";
  } finally {
    await content.close({ outcome, bytes, silentMs: 0 });
  }
}

async function* piecesOf(content: FileContent, largestBytes: number): AsyncGenerator<Uint8Array> {
  for (let position = 0; position < content.sizeBytes; ) {
    const piece = Buffer.allocUnsafe(Math.min(largestBytes, content.sizeBytes - position));
    const read = await content.read(piece, position);
    if (read <= 0) throw new Error(`the file ends at ${position} of ${content.sizeBytes} bytes`);
    yield piece.subarray(0, read);
    position += read;
  }
}

/** Nodes are identified by their address. */
function nodeOf(request: IncomingMessage): string {
  return plainAddress(request.socket.remoteAddress ?? "unknown");
}

/** Aborted as soon as nothing more can be sent. */
function whileOpen(response: ServerResponse): AbortSignal {
  const closed = new AbortController();
  const gone = (): void =>
    closed.abort(Object.assign(new Error("the client has disconnected"), { code: "ECONNABORTED" }));
  if (response.destroyed) gone();
  else response.once("close", gone);
  return closed.signal;
}

function decodePath(pathname: string): string | undefined {
  try {
    return decodeURIComponent(pathname);
  } catch {
    return undefined;
  }
}

function reply(request: IncomingMessage, response: ServerResponse, status: number, message: string): void {
  const body = Buffer.from(`${message}\n`);
  response.writeHead(status, { "Content-Type": "text/plain; charset=utf-8", "Content-Length": body.length });
  response.end(request.method === "HEAD" ? undefined : body);
}

/** The client closed the connection, which is not an error. */
function isGone(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  return ["ERR_STREAM_PREMATURE_CLOSE", "ECONNRESET", "EPIPE", "ERR_STREAM_DESTROYED", "ECONNABORTED"].includes(code);
}
