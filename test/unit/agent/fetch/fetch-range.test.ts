import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { createRangeFetcher, type RemoteFile } from "../../../../agent/fetch/fetch-range.ts";
import { Failure, type FailureReason } from "../../../../proto/failure.ts";
import { happensAtOnce } from "../../../at-once.ts";
import { until } from "../../../until.ts";
import { anImageServer, type Behaviour, type ImageServer } from "./an-image-server.ts";
import { impatient } from "./fetch-settings.ts";

const content = randomBytes(300_000);

interface Fetched {
  readonly bytes: Buffer;
  readonly counted: number;
  readonly resumes: readonly number[];
}

interface Options extends Partial<Omit<RemoteFile, "url">> {
  readonly signal?: AbortSignal;
}

async function fetchAll(url: string, { signal, ...file }: Options = {}): Promise<Fetched> {
  const resumes: number[] = [];
  let counted = 0;
  const totalBytes = file.totalBytes ?? content.length;
  const bytes = Buffer.alloc(totalBytes);
  const fetcher = createRangeFetcher({
    url,
    totalBytes,
    settings: impatient,
    onBytes: (length) => {
      counted += length;
    },
    onResume: (atByte) => resumes.push(atByte),
    ...file,
  });
  try {
    await fetcher.fetchInto(bytes, 0, signal ?? new AbortController().signal);
  } finally {
    fetcher.close();
  }
  return { bytes, counted, resumes };
}

async function rejects(promise: Promise<unknown>, reason: FailureReason, message: RegExp): Promise<Failure> {
  const error = await promise.then(
    () => assert.fail("it succeeded"),
    (caught: unknown) => caught,
  );
  assert.ok(error instanceof Failure, String(error));
  assert.equal(error.reason, reason, error.message);
  assert.match(error.message, message);
  return error;
}

describe("a range fetcher", () => {
  it("goes on where the server has moved to, in the middle of the file", async (test) => {
    let movedTo: string | undefined;
    const server = await anImageServer(test, content, (request) => {
      // It vanishes from its old address.
      if (request === 0) movedTo = "127.0.0.1";
      return request === 0 ? { cutAfterBytes: 100_000 } : {};
    });
    const gone = server.url.replace("127.0.0.1", "127.0.0.9");
    const settings = { ...impatient, movedTo: () => movedTo };
    const started = fetchAll(server.url, { settings: { ...settings, movedTo: () => movedTo && "127.0.0.9" } });
    assert.deepEqual((await started).bytes, content, "where it is not, it is looked for in its old place");
    movedTo = "127.0.0.1";
    assert.deepEqual((await fetchAll(gone, { settings })).bytes, content);
  });

  it("fetches the file with one request and counts its bytes", async (test) => {
    const server = await anImageServer(test, content);
    const { bytes, counted, resumes } = await fetchAll(server.url);
    assert.ok(bytes.equals(content));
    assert.equal(counted, content.length);
    assert.deepEqual(resumes, []);
    assert.deepEqual(server.seen, [{ fromByte: 0, lastByte: content.length - 1, ifRange: undefined }]);
  });

  it("goes on at the very byte where a connection was cut, conditional on the same file", async (test) => {
    const server = await anImageServer(test, content, (request) =>
      request <= 3 ? { cutAfterBytes: request * 10_000 } : {},
    );
    const { bytes, counted, resumes } = await fetchAll(server.url);
    assert.ok(bytes.equals(content));
    assert.equal(counted, content.length);
    assert.deepEqual(resumes, [10_000, 30_000, 60_000]);
    assert.deepEqual(
      server.seen.map(({ fromByte, ifRange }) => [fromByte, ifRange]),
      [
        [0, undefined],
        [10_000, '"one"'],
        [30_000, '"one"'],
        [60_000, '"one"'],
      ],
    );
  });

  it("takes a stalled connection for a broken one", async (test) => {
    const server = await anImageServer(test, content, (request) => (request === 1 ? { stallAfterBytes: 5_000 } : {}));
    const { bytes, resumes } = await fetchAll(server.url);
    assert.ok(bytes.equals(content));
    assert.deepEqual(resumes, [5_000]);
  });

  it("fetches many ranges over as few connections as are needed at once", async (test) => {
    const server = await anImageServer(test, content);
    const fetcher = createRangeFetcher({ url: server.url, totalBytes: content.length, settings: impatient });
    const { signal } = new AbortController();
    const target = Buffer.alloc(content.length);
    const range = (at: number) => fetcher.fetchInto(target.subarray(at, at + 10_000), at, signal);
    for (let at = 0; at < content.length; at += 30_000) await Promise.all([at, at + 10_000, at + 20_000].map(range));
    assert.ok(target.equals(content));
    assert.equal(server.seen.length, 30);
    assert.equal(server.openConnections(), 3);
    fetcher.close();
    await untilClosed(server);
  });

  it("does not mind that a connection which was kept open is closed, and counts it as nothing", async (test) => {
    const server = await anImageServer(test, content, () => ({ closeAfter: true }));
    const settings = { ...impatient, backoff: { firstMs: 60_000, capMs: 60_000, random: () => 0 } };
    const resumes: number[] = [];
    const fetcher = createRangeFetcher({
      url: server.url,
      totalBytes: content.length,
      settings,
      onResume: (atByte) => resumes.push(atByte),
    });
    const target = Buffer.alloc(content.length);
    const { signal } = new AbortController();
    for (let at = 0; at < content.length; at += 50_000) {
      await fetcher.fetchInto(target.subarray(at, at + 50_000), at, signal);
    }
    fetcher.close();
    assert.ok(target.equals(content));
    assert.deepEqual(resumes, []);
  });

  it("survives a server that is overloaded or restarts", async (test) => {
    const server = await anImageServer(test, content, (request) => {
      const behaviours: Behaviour[] = [
        { statusCode: 503 },
        { cutAfterBytes: 0 },
        { silent: true },
        { statusCode: 429 },
      ];
      return behaviours[request - 1] ?? {};
    });
    assert.ok((await fetchAll(server.url)).bytes.equals(content));
    assert.equal(server.seen.length, 5);
  });

  it("gives up when no byte comes for too long, and says how far it came", async (test) => {
    const server = await anImageServer(test, content, (request) =>
      request === 1 ? { cutAfterBytes: 1_000 } : { silent: true },
    );
    await rejects(
      fetchAll(server.url),
      "fetch-failed",
      /received nothing of .* at byte 1000 of 300000: the server was silent/,
    );
  });

  it("gives up on a controller that is not there", async () => {
    await rejects(fetchAll("http://127.0.0.1:9/x"), "fetch-failed", /received nothing of .*ECONNREFUSED/);
  });

  it("counts only the time without a byte: every byte renews the patience", async (test) => {
    const small = content.subarray(0, 1_500);
    const server = await anImageServer(test, small, () => ({ stallAfterBytes: 300 }));
    const settings = { ...impatient, idleTimeoutMs: 250, giveUpAfterMs: 700 };
    const { bytes, resumes } = await fetchAll(server.url, { totalBytes: small.length, settings });
    assert.ok(bytes.equals(small));
    assert.equal(resumes.length, 4);
  });

  const lasting: { title: string; behaviour: Behaviour; reason: FailureReason; message: RegExp }[] = [
    {
      title: "a server that ignores Range",
      behaviour: { statusCode: 200 },
      reason: "fetch-failed",
      message: /must answer 206/,
    },
    { title: "a file that is not there", behaviour: { statusCode: 404 }, reason: "fetch-failed", message: /404/ },
    { title: "a redirection", behaviour: { statusCode: 302 }, reason: "fetch-failed", message: /302/ },
    {
      title: "a file that is too short",
      behaviour: { content: content.subarray(0, 299_999) },
      reason: "image-damaged",
      message: /its length differs/,
    },
    {
      title: "a file that is too long",
      behaviour: { content: Buffer.concat([content, content]) },
      reason: "image-damaged",
      message: /its length differs/,
    },
    {
      title: "an answer without Content-Range",
      behaviour: { headers: { "content-range": "bytes */300000" } },
      reason: "fetch-failed",
      message: /Content-Range/,
    },
    {
      title: "bytes from elsewhere",
      behaviour: { headers: { "content-range": "bytes 7-299999/300000" } },
      reason: "fetch-failed",
      message: /sent bytes 7 to 299999 when asked for 0 to 299999/,
    },
    {
      title: "a content encoding",
      behaviour: { headers: { "content-encoding": "gzip" } },
      reason: "fetch-failed",
      message: /gzip/,
    },
  ];
  for (const { title, behaviour, reason, message } of lasting) {
    it(`fails at once for ${title}`, async (test) => {
      const server = await anImageServer(test, content, () => behaviour);
      await rejects(fetchAll(server.url), reason, message);
      assert.equal(server.seen.length, 1);
    });
  }

  it("notices that the file was replaced between two connections", async (test) => {
    const server = await anImageServer(test, content, (request) =>
      request === 1 ? { cutAfterBytes: 1_000 } : { headers: { etag: '"two"' } },
    );
    await rejects(fetchAll(server.url), "image-damaged", /was replaced on the server .* byte 1000/);
  });

  it("notices a replaced file by weak validators and dates too, which it does not send", async (test) => {
    const server = await anImageServer(test, content, (request) =>
      request === 1 ? { cutAfterBytes: 1_000, headers: { etag: 'W/"1"' } } : { headers: { etag: 'W/"2"' } },
    );
    await rejects(fetchAll(server.url), "image-damaged", /was replaced/);
    assert.equal(server.seen[1]?.ifRange, undefined);
  });

  const answers: { title: string; answer: string; message: RegExp }[] = [
    { title: "something else than HTTP", answer: "220 mail.example ESMTP\r\n\r\n", message: /is not HTTP\/1.1/ },
    { title: "a header without a name", answer: "HTTP/1.1 206 x\r\n: y\r\n\r\n", message: /is not a header field/ },
    { title: "a folded header", answer: "HTTP/1.1 206 x\r\na: b\r\n c\r\n\r\n", message: /is not a header field/ },
    { title: "a head without an end", answer: `HTTP/1.1 206 x\r\n${"a: b\r\n".repeat(5_000)}`, message: /longer than/ },
    { title: "no length", answer: head({ "content-length": undefined }), message: /no usable Content-Length/ },
    { title: "a negative length", answer: head({ "content-length": "-1" }), message: /no usable Content-Length/ },
    {
      title: "two lengths",
      answer: `${head({ "content-length": "1\r\ncontent-length: 2" })}`,
      message: /no usable Content-Length/,
    },
    {
      title: "a transfer coding",
      answer: head({ "transfer-encoding": "chunked" }),
      message: /transfer coding "chunked"/,
    },
    { title: "more bytes than it announced", answer: `${head({ "content-length": "2" })}abc`, message: /announced/ },
    {
      title: "more bytes than were asked for",
      answer: `${head({ "content-length": "300001" })}${"x".repeat(300_001)}`,
      message: /more bytes than requested/,
    },
  ];
  for (const { title, answer, message } of answers) {
    it(`fails at once for ${title}`, async (test) => {
      const port = await aRawServer(test, answer);
      await rejects(fetchAll(`http://127.0.0.1:${port}/x`), "fetch-failed", message);
    });
  }

  it("does not take a slow server for a silent one", async (test) => {
    const body = content.subarray(0, 2_000);
    const answer = head({ "content-length": "2000", "content-range": "bytes 0-1999/2000" });
    const port = await aRawServer(test, Buffer.concat([Buffer.from(answer), body]), 400, 300);
    const resumes: number[] = [];
    const { bytes } = await fetchAll(`http://127.0.0.1:${port}/x`, {
      totalBytes: 2_000,
      settings: { ...impatient, idleTimeoutMs: 1_200 },
      onResume: (atByte) => resumes.push(atByte),
    });
    assert.ok(bytes.equals(body));
    assert.deepEqual(resumes, []);
  });

  it("takes an answer to pieces wherever it is cut", async (test) => {
    const body = content.subarray(0, 2_000);
    const whole = Buffer.concat([
      Buffer.from(head({ "content-length": "2000", "content-range": "bytes 0-1999/2000" })),
      body,
    ]);
    // A busy machine may need a while for the next piece.
    const settings = { ...impatient, idleTimeoutMs: 10_000 };
    for (const pieceBytes of [7, 86, 87, 88, 89, 1_000]) {
      const port = await aRawServer(test, whole, pieceBytes);
      const { bytes } = await fetchAll(`http://127.0.0.1:${port}/x`, { totalBytes: 2_000, settings });
      assert.ok(bytes.equals(body), `cut every ${pieceBytes} bytes`);
    }
  });

  const waits: { title: string; behaviour: Behaviour; settings?: Partial<typeof impatient> }[] = [
    { title: "before the answer", behaviour: { silent: true } },
    { title: "in the midst of the body", behaviour: { stallAfterBytes: 10_000 } },
    {
      title: "between two attempts",
      behaviour: { statusCode: 503 },
      settings: { backoff: { firstMs: 60_000, capMs: 60_000, random: () => 0 } },
    },
  ];
  for (const { title, behaviour, settings } of waits) {
    it(`stops at once when cancelled ${title}, and closes the connection`, async (test) => {
      const server = await anImageServer(test, content, () => behaviour);
      const abort = new AbortController();
      const reason = new Failure("cancelled", "cancelled on request");
      const patient = { ...impatient, idleTimeoutMs: 60_000, giveUpAfterMs: 60_000, ...settings };
      const fetching = rejects(
        fetchAll(server.url, { signal: abort.signal, settings: patient }),
        "cancelled",
        /on request/,
      );
      await until(() => server.seen.length > 0, "nothing was asked for");
      await delay(20);
      await happensAtOnce(async () => {
        abort.abort(reason);
        assert.equal(await fetching, reason);
      });
      await untilClosed(server);
    });
  }
});

/** The server would keep them. */
function untilClosed(server: ImageServer): Promise<void> {
  return until(() => server.openConnections() === 0, "connections are still open");
}

/** The head of a right answer, with changes. */
function head(changes: Readonly<Record<string, string | undefined>>): string {
  const headers = { "content-range": "bytes 0-299999/300000", "content-length": "300000", ...changes };
  const lines = Object.entries(headers).filter(([, value]) => value !== undefined);
  return `HTTP/1.1 206 Partial Content\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
}

/** A server that answers whatever it is asked with these bytes, in pieces of so many. */
async function aRawServer(
  test: TestContext,
  answer: string | Buffer,
  pieceBytes = 1_000_000,
  pauseMs = 0,
): Promise<number> {
  const bytes = Buffer.from(answer);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("error", () => undefined);
    socket.once("data", async () => {
      for (let at = 0; at < bytes.length && !socket.destroyed; at += pieceBytes) {
        await new Promise((resolve) => socket.write(bytes.subarray(at, at + pieceBytes), resolve));
        await delay(pauseMs);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  test.after(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}
