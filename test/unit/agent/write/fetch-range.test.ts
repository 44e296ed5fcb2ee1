import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { type FetchRequest, fetchRange } from "../../../../agent/write/fetch-range.ts";
import { Failure, type FailureReason } from "../../../../proto/failure.ts";
import { anImageServer, type Behaviour } from "./an-image-server.ts";
import { impatient } from "./fetch-settings.ts";

const content = randomBytes(300_000);

interface Fetched {
  readonly bytes: Buffer;
  readonly counted: number;
  readonly resumes: readonly number[];
}

async function fetchAll(url: string, options: Partial<FetchRequest> = {}): Promise<Fetched> {
  const pieces: Buffer[] = [];
  const resumes: number[] = [];
  let counted = 0;
  for await (const piece of fetchRange({
    url,
    totalBytes: content.length,
    settings: impatient,
    signal: new AbortController().signal,
    onBytes: (bytes) => {
      counted += bytes;
    },
    onResume: (atByte) => resumes.push(atByte),
    ...options,
  })) {
    pieces.push(piece);
  }
  return { bytes: Buffer.concat(pieces), counted, resumes };
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

describe("fetchRange", () => {
  it("fetches the file with one request and counts its bytes", async (test) => {
    const server = await anImageServer(test, content);
    const { bytes, counted, resumes } = await fetchAll(server.url);
    assert.ok(bytes.equals(content));
    assert.equal(counted, content.length);
    assert.deepEqual(resumes, []);
    assert.deepEqual(server.seen, [{ fromByte: 0, ifRange: undefined }]);
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

  it("does not blame the server for a slow reader", async (test) => {
    const big = randomBytes(4_000_000);
    const server = await anImageServer(test, big);
    const pieces: Buffer[] = [];
    for await (const piece of fetchRange({
      url: server.url,
      totalBytes: big.length,
      settings: { ...impatient, idleTimeoutMs: 250, giveUpAfterMs: 500 },
      signal: new AbortController().signal,
      onBytes: () => undefined,
      onResume: () => assert.fail("resumed"),
    })) {
      pieces.push(piece);
      if (pieces.length === 2) await delay(800);
    }
    assert.ok(Buffer.concat(pieces).equals(big));
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
    await rejects(fetchAll(server.url), "fetch-failed", /no byte of .* at byte 1000 of 300000: the server was silent/);
  });

  it("gives up on a controller that is not there", async () => {
    await rejects(fetchAll("http://127.0.0.1:9/x"), "fetch-failed", /no byte of .*ECONNREFUSED/);
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
      message: /another length/,
    },
    {
      title: "a file that is too long",
      behaviour: { content: Buffer.concat([content, content]) },
      reason: "image-damaged",
      message: /another length/,
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
      message: /sent bytes 7 to 299999 when asked for those from 0 on/,
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

  it("rejects bytes behind the end of a body of unknown length", async (test) => {
    const server = await anImageServer(test, Buffer.concat([content, content]), () => ({
      headers: { "content-range": "bytes 0-299999/300000" },
    }));
    await rejects(fetchAll(server.url), "image-damaged", /more bytes than/);
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
      await until(() => server.seen.length > 0);
      await delay(20);
      const before = performance.now();
      abort.abort(reason);
      assert.equal(await fetching, reason);
      assert.ok(performance.now() - before < 300);
      await until(() => server.openConnections() === 0);
    });
  }

  it("closes the connection when the reader stops reading", async (test) => {
    const server = await anImageServer(test, randomBytes(5_000_000));
    for await (const _ of fetchRange({
      url: server.url,
      totalBytes: 5_000_000,
      settings: impatient,
      signal: new AbortController().signal,
      onBytes: () => undefined,
      onResume: () => undefined,
    })) {
      break;
    }
    await until(() => server.openConnections() === 0);
  });
});

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries += 1) {
    assert.ok(tries < 400, "it did not come to pass");
    await delay(5);
  }
}
