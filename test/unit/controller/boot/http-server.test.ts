import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { Agent, get as httpGet, request as httpRequest, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import os from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { after, before, describe, it, type TestContext } from "node:test";
import { pino } from "pino";
import { createHttpServer, type HttpServerOptions } from "../../../../controller/boot/http-server.ts";
import { until } from "../../../until.ts";
import { manifestDigest as digest } from "./a-node.ts";
import { bytesOf, inMemoryFiles } from "./tftp/in-memory-files.ts";

const image = bytesOf("image", 1_000_000);
const manifest = bytesOf("manifest", 5000);
let folder = "";

before(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "pallet-http-"));
  await writeFile(path.join(folder, "image.zst"), image);
  await writeFile(path.join(folder, "image.manifest"), manifest);
});
after(() => rm(folder, { recursive: true, force: true }));

async function start(test: TestContext, options: Partial<HttpServerOptions> = {}) {
  const kernel = bytesOf("kernel", 300_001);
  const files = inMemoryFiles(
    (name) => ({ "agent/vmlinuz": kernel, empty: Buffer.alloc(0), "a b": Buffer.from("c") })[name],
  );
  const server = await createHttpServer({
    address: "127.0.0.1",
    port: 0,
    files,
    images: {
      packFile: (of, which) => {
        if (of === digest) return path.join(folder, which === "pack" ? "image.zst" : "image.manifest");
        return of.startsWith("00") ? path.join(folder, "lost.zst") : undefined;
      },
    },
    log: pino({ level: "silent" }),
    ...options,
  });
  test.after(() => server.close());
  const fetchPath = (requestPath: string, init: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${server.port}${requestPath}`, init);
  return { server, files, kernel, fetchPath };
}

const imagePath = `/images/${digest}.zst`;

describe("HTTP server", () => {
  it("serves a pack", async (test) => {
    const { fetchPath } = await start(test);
    const response = await fetchPath(imagePath);
    assert.equal(response.status, 200);
    assert.ok(Buffer.from(await response.arrayBuffer()).equals(image));
    assert.partialDeepStrictEqual(Object.fromEntries(response.headers), {
      "accept-ranges": "bytes",
      "content-length": "1000000",
      "content-type": "application/zstd",
      etag: `"${digest}"`,
    });
  });

  it("serves the manifest of a pack beside it", async (test) => {
    const { fetchPath } = await start(test);
    const response = await fetchPath(`/images/${digest}.manifest`);
    assert.ok(Buffer.from(await response.arrayBuffer()).equals(manifest));
    assert.partialDeepStrictEqual(Object.fromEntries(response.headers), {
      "content-length": "5000",
      "content-type": "application/x-protobuf",
      etag: `"${digest}"`,
    });
    assert.match(response.headers.get("cache-control") ?? "", /immutable/);
  });

  it("tells about a pack without its bytes", async (test) => {
    const { fetchPath } = await start(test);
    const response = await fetchPath(imagePath, { method: "HEAD" });
    assert.deepEqual(
      [response.status, response.headers.get("content-length"), await response.text()],
      [200, "1000000", ""],
    );
  });

  const ranges: readonly [
    title: string,
    range: string,
    status: number,
    contentRange: string | null,
    from?: number,
    to?: number,
  ][] = [
    ["the rest, to resume", "bytes=999000-", 206, "bytes 999000-999999/1000000", 999_000],
    ["the first byte", "bytes=0-0", 206, "bytes 0-0/1000000", 0, 1],
    ["the last byte", "bytes=999999-", 206, "bytes 999999-999999/1000000", 999_999],
    ["the last bytes", "bytes=-10", 206, "bytes 999990-999999/1000000", 999_990],
    ["more last bytes than there are, which `send` knows no better", "bytes=-2000000", 416, "bytes */1000000"],
    ["an end beyond the end", "bytes=999990-5000000", 206, "bytes 999990-999999/1000000", 999_990],
    ["everything", "bytes=0-", 206, "bytes 0-999999/1000000", 0],
    ["what begins at the end", "bytes=1000000-", 416, "bytes */1000000"],
    ["what begins beyond the end", "bytes=5000000-6000000", 416, "bytes */1000000"],
    ["a range that ends before it begins", "bytes=10-5", 416, "bytes */1000000"],
    ["several ranges, answered whole", "bytes=0-1,5-6", 200, null, 0],
    ["no bytes at all, answered whole", "lines=1-2", 200, null, 0],
  ];
  for (const [title, range, status, contentRange, from, to] of ranges)
    it(`answers Range with ${title}`, async (test) => {
      const { fetchPath } = await start(test);
      const response = await fetchPath(imagePath, { headers: { range } });
      assert.deepEqual([response.status, response.headers.get("content-range")], [status, contentRange]);
      const body = Buffer.from(await response.arrayBuffer());
      if (from !== undefined) assert.ok(body.equals(image.subarray(from, to ?? image.length)));
      else assert.equal(response.headers.get("etag"), null);
    });

  it("resumes only the image that the client has begun", async (test) => {
    const { fetchPath } = await start(test);
    const resume = (etag: string) => fetchPath(imagePath, { headers: { range: "bytes=10-", "if-range": etag } });
    assert.equal((await resume(`"${digest}"`)).status, 206);
    assert.equal((await resume(`"another"`)).status, 200);
  });

  it("serves boot files, and reports what became of each", async (test) => {
    const { fetchPath, files, kernel } = await start(test);
    assert.ok(Buffer.from(await (await fetchPath("/boot/agent/vmlinuz?x=/..")).arrayBuffer()).equals(kernel));
    assert.equal(await (await fetchPath("/boot/empty")).text(), "");
    assert.equal(await (await fetchPath("/boot/a%20b")).text(), "c");
    const head = await fetchPath("/boot/agent/vmlinuz", { method: "HEAD" });
    assert.deepEqual([head.status, head.headers.get("content-length"), await head.text()], [200, "300001", ""]);
    assert.deepEqual(files.closed, [
      { path: "agent/vmlinuz", outcome: "served", bytes: 300_001 },
      { path: "empty", outcome: "served", bytes: 0 },
      { path: "a b", outcome: "served", bytes: 1 },
      { path: "agent/vmlinuz", outcome: "served", bytes: 0 },
    ]);
  });

  const refused: readonly [method: string, requestPath: string, status: number][] = [
    ["GET", "/", 404],
    ["GET", "/images/", 404],
    ["GET", "/images/debian.zst", 404],
    ["GET", `/images/${digest.toUpperCase()}.zst`, 404],
    ["GET", `/images/${"12".repeat(32)}.zst`, 404],
    ["GET", `/images/${"00".repeat(32)}.zst`, 404],
    ["GET", `/images/${digest}.zst/`, 404],
    ["GET", `/images/..%2f..%2fetc%2fpasswd`, 404],
    ["GET", "/boot/nowhere", 404],
    ["GET", "/boot/forbidden", 403],
    ["GET", "/boot", 404],
    ["GET", "/boot/%zz", 400],
    ["GET", "/boot/%ff", 400],
    ["HEAD", "/nowhere", 404],
    ["POST", "/healthz", 405],
    ["PUT", imagePath, 405],
    ["DELETE", imagePath, 405],
  ];
  for (const [method, requestPath, status] of refused)
    it(`answers ${method} ${requestPath.slice(0, 40)} with ${status}`, async (test) => {
      const { fetchPath } = await start(test);
      const response = await fetchPath(requestPath, { method });
      assert.equal(response.status, status);
      assert.equal(response.headers.get("allow"), status === 405 ? "GET, HEAD" : null);
      assert.equal(response.headers.get("etag"), null);
      assert.equal((await response.text()) === "", method === "HEAD");
    });

  it("is healthy", async (test) => {
    const { fetchPath } = await start(test);
    assert.equal(await (await fetchPath("/healthz")).text(), "ok\n");
  });

  it("serves one request after the other on one connection", async (test) => {
    const { server } = await start(test);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    test.after(() => agent.destroy());
    const ports = new Set<number | undefined>();
    for (const requestPath of [imagePath, "/boot/empty", "/nowhere", "/healthz", imagePath]) {
      const response = await new Promise<IncomingMessage>((resolve, reject) =>
        httpGet({ host: "127.0.0.1", port: server.port, path: requestPath, agent }, resolve).on("error", reject),
      );
      ports.add(response.socket.localPort);
      await text(response);
    }
    assert.equal(ports.size, 1);
  });

  it("survives clients that leave in the middle, and reports it", async (test) => {
    const huge = bytesOf("huge", 30_000_000);
    const files = inMemoryFiles(() => huge);
    const { server, fetchPath } = await start(test, { files });
    for (const requestPath of [imagePath, "/boot/huge"])
      await new Promise<void>((resolve) => {
        const request = httpRequest({ host: "127.0.0.1", port: server.port, path: requestPath }, (response) => {
          response.once("data", () => {
            request.destroy();
            resolve();
          });
        });
        request.on("error", () => {});
        request.end();
      });
    await until(() => files.closed.length > 0, "the file is still open");
    assert.partialDeepStrictEqual(files.closed, [{ path: "huge", outcome: "aborted" }]);
    assert.ok((files.closed[0]?.bytes ?? 0) < huge.length);
    assert.equal((await fetchPath("/healthz")).status, 200);
  });

  it("cuts connections that stand still, and requests that never end", async (test) => {
    const huge = bytesOf("huge", 30_000_000);
    const files = inMemoryFiles(() => huge);
    const { server } = await start(test, { files, limits: { stallTimeoutMs: 60, headersTimeoutMs: 500 } });
    const open = (request: string) => {
      const socket = connect(server.port, "127.0.0.1", () => socket.write(request));
      socket.on("error", () => {});
      test.after(() => socket.destroy());
      return socket;
    };
    // Nobody reads what comes here.
    open("GET /boot/huge HTTP/1.1\r\nHost: x\r\n\r\n");
    const unfinished = open("GET /healthz HTTP/1.1\r\nHost: ").resume();
    await new Promise((resolve) => unfinished.once("close", resolve));
    await until(() => files.closed.length > 0, "the file is still open");
    assert.equal(files.closed[0]?.outcome, "aborted");
  });

  it("serves a node at once, whatever connections another address holds, idle or at work", async (test) => {
    const huge = bytesOf("huge", 30_000_000);
    const limits = { maxConnections: 12, maxConnectionsPerAddress: 10 };
    const files = inMemoryFiles(() => huge);
    const { server, fetchPath } = await start(test, { files, limits });
    let closed = 0;
    const open = async (localAddress: string) => {
      const socket = connect({ port: server.port, host: "127.0.0.1", localAddress });
      socket.on("error", () => {});
      test.after(() => socket.destroy());
      await new Promise((resolve) => socket.once("connect", resolve));
      return socket;
    };
    // Nobody reads what comes here.
    const read = async (localAddress: string) =>
      void (await open(localAddress)).write("GET /boot/huge HTTP/1.1\r\nHost: x\r\n\r\n");
    const idle = async () => void (await open("127.0.0.3")).resume().once("close", () => (closed += 1));
    for (let count = 0; count < 8; count++) await read("127.0.0.2");
    await until(() => files.opened() === 8, "the requests have not come");
    for (let batch = 0; batch < 3; batch++) await Promise.all(Array.from({ length: 100 }, idle));
    await until(
      () => closed >= 296,
      () => `one address holds ${300 - closed}`,
    );
    for (let count = 0; count < 30; count++) assert.equal((await fetchPath("/healthz")).status, 200);
    assert.equal(files.closed.length, 0);
    // Nobody is idle, and two addresses have all there is: who has most gives one up.
    for (let count = 0; count < 10; count++) await read("127.0.0.4");
    await until(
      () => closed === 300,
      () => `${300 - closed} idle ones are left`,
    );
    assert.equal((await fetchPath("/healthz")).status, 200);
  });

  it("opens no file for what a connection asks before it has got its answers", async (test) => {
    const huge = bytesOf("huge", 30_000_000);
    const files = inMemoryFiles(() => huge);
    const { server } = await start(test, { files });
    const socket = connect(server.port, "127.0.0.1");
    socket.on("error", () => {});
    test.after(() => socket.destroy());
    socket.write("GET /boot/huge HTTP/1.1\r\nHost: x\r\n\r\n".repeat(1000));
    await new Promise((resolve) => socket.once("close", resolve));
    await until(() => files.closed.length > 0, "the files are still open");
    assert.ok(files.closed.length <= 4, `${files.closed.length} files`);
  });

  it("closes a connection that asks nothing", async (test) => {
    const { server } = await start(test, { limits: { headersTimeoutMs: 30 } });
    const socket = connect(server.port, "127.0.0.1").resume();
    test.after(() => socket.destroy());
    await new Promise((resolve) => socket.once("close", resolve));
  });

  it("answers what is no HTTP with 400 and too much of it with 431", async (test) => {
    const { server } = await start(test);
    const ask = async (request: string): Promise<string> => {
      const socket = connect(server.port, "127.0.0.1", () => socket.write(request));
      return text(socket);
    };
    assert.match(await ask("garbage\r\n\r\n"), /^HTTP\/1.1 400 /);
    assert.match(await ask(`GET / HTTP/1.1\r\nHost: x\r\nA: ${"a".repeat(20_000)}\r\n\r\n`), /^HTTP\/1.1 431 /);
  });

  it("closes with its signal, and says why it cannot listen", async (test) => {
    const abort = new AbortController();
    const { server, fetchPath } = await start(test, { signal: abort.signal });
    await assert.rejects(start(test, { port: server.port }), { code: "EADDRINUSE" });
    abort.abort();
    await assert.rejects(fetchPath("/healthz"));
  });
});
