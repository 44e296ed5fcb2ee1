import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import fc from "fast-check";
import { pino } from "pino";
import { checkPartialResponse, TemporaryError } from "../../../agent/fetch/check-partial-response.ts";
import { openHttpConnection } from "../../../agent/fetch/http-connection.ts";
import { createHttpServer, type HttpServer } from "../../../controller/boot/http-server.ts";
import { Failure } from "../../../proto/failure.ts";
import { parseManifestDigest } from "../../../proto/pack/digest.ts";
import { family } from "../frame/family.ts";
import { mutatedText } from "../frame/mutations.ts";

const digest = parseManifestDigest("ab".repeat(32));
const pack = Buffer.from(Array.from({ length: 1_000 }, (_, index) => index % 251));
const bootFile = Buffer.alloc(300, 7);
const modified = "Thu, 01 Jan 2026 00:00:00 GMT";

interface Serving {
  readonly server: HttpServer;
  /** What went wrong inside of the server, as its log has it. */
  readonly errors: string[];
}

let serving: Promise<Serving> | undefined;

/** The server of packs and boot files, as it is for a node; made once, and gone with the thread. */
function serve(): Promise<Serving> {
  serving ??= (async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "pallet-fuzz-http-"));
    process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(path.join(folder, "pack.zst"), pack);
    const errors: string[] = [];
    const log = pino({ level: "error" }, { write: (line: string) => void errors.push(line) });
    const server = await createHttpServer({
      ...{ address: "127.0.0.1", port: 0, log },
      images: { packFile: (of) => (of === digest ? path.join(folder, "pack.zst") : undefined) },
      files: {
        open: async (asked) =>
          asked !== "config.txt"
            ? { kind: asked.includes("..") ? "refused" : "not-found", message: `${asked.length} characters` }
            : {
                kind: "file",
                content: {
                  sizeBytes: bootFile.length,
                  read: async (target, at) => bootFile.copy(target, 0, at),
                  close: async () => undefined,
                },
              },
      },
    });
    return { server, errors };
  })();
  return serving;
}

/** How long a request that gets no answer is left open: half of one has none. Node gives up at once where its end is. */
const patienceMs = 10;

/** Sends bytes, in pieces; resolves with what comes back until the server closes, or has answered and we do. */
function exchange(port: number, bytes: Buffer, pieceBytes: number, isPatient = false): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const got: Buffer[] = [];
    const socket = connect({ host: "127.0.0.1", port, noDelay: true }, () => {
      for (let at = 0; at < bytes.length; at += pieceBytes) socket.write(bytes.subarray(at, at + pieceBytes));
      if (!isPatient) socket.setTimeout(patienceMs, () => socket.end());
    });
    socket.on("data", (piece: Buffer) => got.push(piece));
    // A server that has refused may close before it has read everything.
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (!["ECONNRESET", "EPIPE"].includes(error.code ?? "")) reject(error);
    });
    socket.on("close", () => resolve(Buffer.concat(got)));
  });
}

interface Answer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/** The first answer, and what comes behind its head. */
function answerIn(bytes: Buffer): Answer | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  const [statusLine = "", ...lines] = bytes.toString("latin1", 0, Math.max(0, end)).split("\r\n");
  const status = /^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1];
  if (status === undefined) return undefined;
  const headers = lines.map((line) => /^([\w-]+): (.*)$/.exec(line)?.slice(1) as [string, string]);
  return {
    status: Number(status),
    headers: new Map(headers.map(([name, value]) => [name.toLowerCase(), value])),
    body: bytes.subarray(end + 4),
  };
}

const packPath = `/images/${digest}.zst`;
const requests: readonly string[] = [
  `GET ${packPath} HTTP/1.1\r\nhost: a\r\nrange: bytes=10-19\r\nif-range: "${digest}"\r\naccept-encoding: identity\r\n\r\n`,
  `HEAD ${packPath} HTTP/1.1\r\nHost: a\r\n\r\n`,
  "GET /boot/config.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
  "GET /boot/a%20b/../%2e%2e/etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n",
  "GET /healthz?x=1 HTTP/1.0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
  "POST /boot/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
  "OPTIONS * HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nExpect: 100-continue\r\n\r\n",
];

const rangeForms = mutatedText(
  [
    "bytes=0-9",
    "bytes=10-",
    "bytes=-10",
    "bytes=999-5000",
    "bytes=0-1,5-6",
    "bytes=1000-",
    "bytes = 0 - 1",
    "lines=1-2",
  ],
  { words: ["bytes=", "-", ",", "0-0", " ", "999", "1000", "-0", "-1000"], maxCharacters: 6_000 },
);

/** What the fetcher is told of a range, and what it makes of a server's answer. */
let target: Promise<{ readonly port: number; answer: string; pieceBytes: number }> | undefined;

/** A server that says whatever the family wants, whatever it is asked; made once. */
export function hostile() {
  target ??= new Promise((resolve) => {
    const state = { port: 0, answer: "", pieceBytes: 1 };
    const server: Server = createServer((socket) => {
      socket.on("error", () => socket.destroy());
      socket.once("data", () => {
        const bytes = Buffer.from(state.answer, "latin1");
        for (let at = 0; at < bytes.length; at += state.pieceBytes)
          socket.write(bytes.subarray(at, at + state.pieceBytes));
        socket.end();
      });
    });
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      state.port = typeof address === "object" && address !== null ? address.port : 0;
      resolve(state);
    });
  });
  return target;
}

/**
 * HTTP at both ends, over connections on loopback. Left out: TLS (OpenSSL's, and `whyRefused` is in the group of
 * identities); what a boot file's path means has a family of its own.
 */
export const http = [
  family<{ readonly text: string; readonly pieceBytes: number }>({
    name: "http: requests",
    inputs: fc.record({
      text: mutatedText(requests, {
        words: [
          "\r\n",
          "\r\n\r\n",
          "GET ",
          " HTTP/1.1",
          "Host: a\r\n",
          "Content-Length: 5\r\n",
          "%00",
          "%ff",
          "/boot/",
          "/images/",
        ],
        maxCharacters: 16 * 1024,
      }),
      pieceBytes: fc.constantFrom(7, 500, 65_536),
    }),
    async check({ text, pieceBytes }) {
      const { server, errors } = await serve();
      const bytes = Buffer.from(text, "latin1");
      // A thousand small packets say nothing that a hundred do not.
      const got = await exchange(server.port, bytes, Math.max(pieceBytes, bytes.length / 100));
      assert.deepEqual(errors.splice(0), []);
      assert.ok(got.length <= 64 * (pack.length + 1_000), `${got.length} bytes for one connection`);
      const answer = answerIn(got);
      if (answer === undefined) return assert.equal(got.length, 0, got.toString("latin1").slice(0, 200));
      assert.ok(answer.status < 500 || answer.status === 501 || answer.status === 505, `it answers ${answer.status}`);
    },
  }),
  family<{ readonly range: string; readonly condition: string; readonly value: string }>({
    name: "http: ranges and conditions",
    inputs: fc.record({
      range: rangeForms,
      condition: fc.constantFrom("if-range", "if-none-match", "if-match", "if-modified-since", "if-unmodified-since"),
      value: mutatedText([`"${digest}"`, `W/"${digest}"`, "*", modified, ""], {
        words: ['"', "W/", ",", "*"],
        maxCharacters: 1_000,
      }),
    }),
    async check({ range, condition, value }) {
      const { server, errors } = await serve();
      const field = (text: string): string => text.replaceAll(/[\r\n\0]/g, " ");
      const request = `GET ${packPath} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nrange: ${field(range)}\r\n${condition}: ${field(value)}\r\n\r\n`;
      const answer = answerIn(await exchange(server.port, Buffer.from(request, "latin1"), 65_536, true));
      assert.deepEqual(errors.splice(0), []);
      assert.ok(answer !== undefined, "no answer");
      const { status, headers, body } = answer;
      assert.ok([200, 206, 304, 400, 412, 416, 431].includes(status), `it answers ${status}`);
      if (status === 200) assert.ok(body.equals(pack));
      if (status !== 206) return;
      // What it calls a part of the pack is that part.
      const [, first = "", last = ""] = /^bytes (\d+)-(\d+)\/1000$/.exec(headers.get("content-range") ?? "") ?? [];
      assert.ok(
        first !== "" && Number(first) <= Number(last) && Number(last) < pack.length,
        headers.get("content-range"),
      );
      assert.ok(body.equals(pack.subarray(Number(first), Number(last) + 1)));
      assert.equal(headers.get("content-length"), String(body.length));
      assert.equal(headers.get("etag"), `"${digest}"`);
    },
  }),
  family<{ readonly answer: string; readonly pieceBytes: number }>({
    name: "http: answers to an agent",
    inputs: fc.record({
      answer: mutatedText(
        [
          `HTTP/1.1 206 Partial Content\r\nETag: "x"\r\nContent-Range: bytes 10-19/1000\r\nContent-Length: 10\r\n\r\n0123456789`,
          `HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 10-14/1000\r\nContent-Length: 5\r\nConnection: close\r\n\r\n01234`,
          "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */12\r\nContent-Length: 0\r\n\r\n",
          "HTTP/1.1 206 Partial Content\r\nContent-Encoding: gzip\r\nContent-Length: 10\r\n\r\n0123456789",
        ],
        {
          words: [
            "\r\n",
            "\r\n\r\n",
            "HTTP/1.1 206 ",
            "Content-Length: ",
            "Content-Range: bytes ",
            "/",
            "-",
            "10",
            "19",
          ],
          maxCharacters: 40_000,
        },
      ),
      pieceBytes: fc.constantFrom(3, 100, 65_536),
    }),
    async check({ answer, pieceBytes }) {
      const state = await hostile();
      Object.assign(state, { answer, pieceBytes: Math.max(pieceBytes, answer.length / 100) });
      const connection = openHttpConnection(new URL(`http://127.0.0.1:${state.port}/x`), 5_000);
      const wanted = {
        url: "http://10.0.0.1/x",
        fromByte: 10,
        lengthBytes: 10,
        totalBytes: 1_000,
        validators: undefined,
      };
      let received = 0;
      try {
        await connection.get(
          { range: "bytes=10-19" },
          {
            onHead: (head) => void checkPartialResponse(head, wanted),
            onBody: (bytes) => {
              received += bytes.length;
            },
          },
        );
        // Of a line of its own: the same words in the reason phrase say nothing.
        const said = Number(/^content-length: *(\d+)/im.exec(answer)?.[1]);
        assert.equal(received, said, "it takes an answer for whole that is not");
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error;
        const { code, message } = error as NodeJS.ErrnoException;
        const isKnown = error instanceof Failure || error instanceof TemporaryError || code === "ECONNRESET";
        if (!isKnown) throw error;
        assert.ok(message.length <= 2_000, `a refusal has ${message.length} characters`);
      } finally {
        connection.close(new Error("no longer needed"));
      }
    },
  }),
];
