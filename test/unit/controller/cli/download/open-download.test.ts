import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer as createRawServer } from "node:net";
import { afterEach, describe, it } from "node:test";
import { openDownload } from "../../../../../controller/cli/download/open-download.ts";
import { Failure } from "../../../../../proto/failure.ts";
import { foregroundClock } from "../../../../../proto/time/clock.ts";
import { type AWebServer, aVersion, sendFile, startWebServer } from "./a-web-server.ts";

const content = randomBytes(3 * 2 ** 20);
const noWaits = { ...foregroundClock, setTimeout: (callback: () => void) => foregroundClock.setTimeout(callback, 1) };

let server: AWebServer;
afterEach(() => server?.close());

interface Options {
  readonly path?: string;
  readonly isVouched?: boolean;
  readonly mostBytes?: number;
  readonly idleMs?: number;
  readonly signal?: AbortSignal;
  readonly onBytes?: (bytes: number) => void;
}

/** Fetches a file from a server that answers so; resolves with it, and what was told meanwhile. */
async function fetchFrom(
  answer: (request: IncomingMessage, response: ServerResponse, count: number) => void,
  options: Options = {},
) {
  server = await startWebServer(answer);
  return fetchAt(server.url(options.path ?? "/a.img?key=secret"), options);
}

async function fetchAt(address: string, options: Options = {}) {
  const { isVouched = false, mostBytes = 2 ** 30, idleMs = 10_000, onBytes } = options;
  const told: string[] = [];
  const download = await openDownload(new URL(address), {
    ...{ clock: noWaits, mostBytes, isVouched, idleMs, signal: options.signal ?? new AbortController().signal },
    onTrouble: (sentence) => told.push(sentence),
  });
  const parts: Uint8Array[] = [];
  try {
    for await (const part of download.bytes) {
      parts.push(part);
      onBytes?.(part.length);
    }
  } finally {
    download.close();
  }
  return { bytes: Buffer.concat(parts), told, fileBytes: download.fileBytes };
}

const refuses = (work: Promise<unknown>, message: RegExp) =>
  assert.rejects(work, (error) => {
    assert.ok(error instanceof Failure, String(error));
    assert.equal(error.reason, "fetch-failed");
    assert.match(error.message, message);
    assert.doesNotMatch(error.message, /secret/);
    return true;
  });

describe("a file on a web server", () => {
  it("comes whole, in one request without a range", async () => {
    const { bytes, told, fileBytes } = await fetchFrom((request, response) => sendFile(request, response, content));
    assert.ok(bytes.equals(content));
    assert.deepEqual(
      [fileBytes, told, server.asked],
      [content.length, [], [{ path: "/a.img?key=secret", range: undefined }]],
    );
  });

  it("goes on where it broke, as often as something comes", async () => {
    const breakAfter = 700_000;
    const { bytes, told } = await fetchFrom((request, response) =>
      sendFile(request, response, content, { breakAfter }),
    );
    assert.ok(bytes.equals(content));
    const ranges = server.asked.map(({ range }) => range);
    assert.deepEqual(ranges, [undefined, ...[1, 2, 3, 4].map((times) => `bytes=${times * breakAfter}-`)]);
    assert.match(
      told[0] ?? "",
      /^the transfer of http:\/\/127\.0\.0\.1:\d+\/a\.img\?… broke off after 700000 bytes \(.+\); going on in 1 s, try 1 of 8$/,
    );
  });

  it("is asked for again while the server is overloaded", async () => {
    const { bytes } = await fetchFrom((request, response, count) => {
      if (count === 1) sendFile(request, response, content, { breakAfter: 9 });
      else if (count < 5) response.writeHead(503).end("busy");
      else sendFile(request, response, content);
    });
    assert.ok(bytes.equals(content));
    assert.equal(server.asked.length, 5);
  });

  it("goes on by the date of its last change, where it has no tag", async () => {
    const version = { "last-modified": aVersion["last-modified"] };
    const { bytes } = await fetchFrom((request, response, count) =>
      sendFile(request, response, content, { version, breakAfter: count === 1 ? 1000 : undefined }),
    );
    assert.ok(bytes.equals(content));
    assert.equal(server.asked[1]?.range, "bytes=1000-");
  });

  it("comes as it is also when the server labels it as encoded, as many do with .gz", async () => {
    const { bytes } = await fetchFrom((request, response) => {
      response.setHeader("content-encoding", "gzip");
      sendFile(request, response, content);
    });
    assert.ok(bytes.equals(content));
  });

  it("may come by redirects, also when it goes on", async () => {
    const { bytes } = await fetchFrom(
      (request, response, count) => {
        if (request.url === "/a.img") response.writeHead(302, { location: "/other/b.img" }).end();
        else sendFile(request, response, content, { breakAfter: count < 3 ? 1000 : undefined });
      },
      { path: "/a.img" },
    );
    assert.ok(bytes.equals(content));
    assert.deepEqual(
      server.asked.map(({ path, range }) => [path, range]),
      [
        ["/a.img", undefined],
        ["/other/b.img", undefined],
        ["/a.img", "bytes=1000-"],
        ["/other/b.img", "bytes=1000-"],
      ],
    );
  });

  it("may be of unknown length, if its end can be seen", async () => {
    const { bytes, fileBytes } = await fetchFrom((_, response) => {
      response.write(content.subarray(0, 1000));
      response.end(content.subarray(1000));
    });
    assert.ok(bytes.equals(content));
    assert.equal(fileBytes, 0);
  });

  it("waits for its reader, who may be slow", async () => {
    let isFirst = true;
    const { bytes, told } = await fetchFrom((request, response) => sendFile(request, response, content), {
      idleMs: 300,
      // Blocks longer than the server may be silent.
      onBytes: () => {
        if (isFirst) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 600);
        isFirst = false;
      },
    });
    assert.ok(bytes.equals(content));
    assert.deepEqual(told, []);
  });

  it("ends with the signal's reason when it is given up, while it comes and while it waits", async () => {
    const stopping = new AbortController();
    const stop = new Error("stopped");
    const one = fetchFrom((_, response) => response.writeHead(200, { "content-length": 9 }).write("a"), {
      signal: stopping.signal,
      onBytes: () => stopping.abort(stop),
    });
    await assert.rejects(one, (error) => error === stop);
    await server.close();
    await assert.rejects(fetchAt("http://127.0.0.1:1/", { signal: stopping.signal }), (error) => error === stop);
  });
});

describe("a file on a web server is refused", () => {
  const breaks = (request: IncomingMessage, response: ServerResponse) =>
    sendFile(request, response, content, { breakAfter: 1000 });

  it("when nothing more comes, try after try", async () => {
    const work = fetchFrom((request, response, count) => {
      if (count === 1) breaks(request, response);
      else request.socket.destroy();
    });
    await refuses(work, /broke off after 1000 bytes, and 8 tries to go on failed \(.+\): run this command again/);
    assert.equal(server.asked.length, 9);
  });

  it("when only some bytes come, try after try", async () => {
    const work = fetchFrom((request, response) => sendFile(request, response, content, { breakAfter: 1 }));
    await refuses(work, /8 tries to go on failed/);
    assert.equal(server.asked.length, 9);
  });

  it("when the server falls silent in the middle, and stays so", async () => {
    const work = fetchFrom(
      (_, response, count) => {
        if (count === 1) response.writeHead(200, { ...aVersion, "content-length": 9 }).write("a");
      },
      { idleMs: 100 },
    );
    await refuses(work, /after 1 bytes, and 8 tries to go on failed \(its server sent nothing for 0\.1 s\)/);
  });

  it("when the server never answers", async () => {
    await refuses(
      fetchFrom(() => undefined, { idleMs: 100 }),
      /cannot fetch http:\/\/127\.0\.0\.1:\d+\/a\.img\?…: its server sent nothing for 0\.1 s/,
    );
  });

  it("when it was replaced meanwhile", async () => {
    const work = fetchFrom((request, response, count) =>
      count === 1
        ? breaks(request, response)
        : sendFile(request, response, content, { version: { ...aVersion, etag: '"v2"' } }),
    );
    await refuses(work, /was replaced on its server/);
  });

  it("when the server has no ranges", async () => {
    const work = fetchFrom((request, response, count) => {
      delete request.headers.range;
      sendFile(request, response, content, { breakAfter: count === 1 ? 1000 : undefined });
    });
    await refuses(work, /cannot go on from there: it answers Range requests with the whole file/);
  });

  it("when the server has nothing to tell its versions by", async () => {
    const work = fetchFrom((request, response) =>
      sendFile(request, response, content, { breakAfter: 1000, version: { etag: 'W/"v1"' } }),
    );
    await refuses(work, /cannot go on: its server sends no strong ETag/);
    assert.equal(server.asked.length, 1);
  });

  it("when another part of it comes", async () => {
    const work = fetchFrom((request, response, count) => {
      if (count === 1) return breaks(request, response);
      response
        .writeHead(206, { ...aVersion, "content-range": `bytes 0-9/${content.length}` })
        .end(content.subarray(0, 10));
    });
    await refuses(work, /asked to go on from byte 1000, and sends something else/);
  });

  it("when more of it comes than was announced", async () => {
    const work = fetchFrom((request, response, count) => {
      if (count === 1) return breaks(request, response);
      const range = `bytes 1000-${content.length - 1}/${content.length}`;
      response.writeHead(206, { ...aVersion, "content-range": range }).end(Buffer.concat([content, content]));
    });
    await refuses(work, /more of .* comes than was announced/);
  });

  it("when it is endless", async () => {
    const work = fetchFrom(
      (_, response) => {
        const send = (): void => {
          while (response.write(content));
          response.once("drain", send);
        };
        send();
      },
      { mostBytes: 2 ** 22 },
    );
    await refuses(work, /is too large: more than 4194304 bytes came/);
  });

  it("when redirects go in circles", async () => {
    const work = fetchFrom((_, response) => response.writeHead(302, { location: "/a.img?key=secret" }).end());
    await refuses(work, /redirects in circles, or more than 8 times/);
    assert.equal(server.asked.length, 9);
  });

  it("when nothing answers, or nobody knows the host", async () => {
    server = await startWebServer(() => undefined);
    const gone = server.url("/a.img");
    await server.close();
    await refuses(fetchAt(gone), /nothing answers there \(.*ECONNREFUSED.*\): check the address/);
    await refuses(fetchAt("http://host.invalid/a.img"), /no address is known for its host .*: check the address/);
  });

  it("when what answers speaks no HTTP", async () => {
    const raw = createRawServer((socket) => {
      socket.on("error", () => undefined);
      socket.end("SSH-2.0-OpenSSH_9.2p1\r\n");
    });
    await new Promise<void>((resolve) => raw.listen(0, "127.0.0.1", resolve));
    const { port } = raw.address() as { port: number };
    try {
      await refuses(fetchAt(`http://127.0.0.1:${port}/`), /^cannot fetch http:\/\/127\.0\.0\.1:\d+\/: /);
      await refuses(fetchAt(`https://127.0.0.1:${port}/`), /^cannot fetch https:\/\/127\.0\.0\.1:\d+\/: /);
    } finally {
      raw.close();
    }
  });

  // Which of the two depends on how the bytes were cut into packets.
  it("or cut to what was announced, when more follows behind its end", async () => {
    const raw = createRawServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () =>
        socket.end("HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello and more"),
      );
    });
    await new Promise<void>((resolve) => raw.listen(0, "127.0.0.1", resolve));
    const { port } = raw.address() as { port: number };
    try {
      const found = await fetchAt(`http://127.0.0.1:${port}/`).catch((error: unknown) => error);
      if (found instanceof Failure) assert.match(found.message, /broke off|cannot fetch/);
      else assert.equal(String((found as { bytes: Buffer }).bytes), "hello");
    } finally {
      raw.close();
    }
  });
});
