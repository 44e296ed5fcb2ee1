// A real HTTP server on loopback, and a verification that shares no code with the signing.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { deliverWebhook } from "../../../../controller/hooks/deliver-webhook.ts";
import { Failure } from "../../../../proto/failure.ts";
import { type Clock, monotonicClock, systemClock } from "../../../../proto/time/clock.ts";

const secret = Buffer.from("0123456789abcdef0123456789abcdef");
const body = '{"id":"x_after-proved_announce","type":"after-proved","data":{"node":{"name":"pi-ü"}}}';

interface Received {
  readonly method: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What each try is answered with. */
type Reply = { readonly status: number; readonly headers?: Record<string, string>; readonly says?: string } | "break";

let folder = "";
let secretFile = "";
const servers: Server[] = [];
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "pallet-webhook-"));
  secretFile = path.join(folder, "secret");
  await writeFile(secretFile, `whsec_${secret.toString("base64")}\n`, { mode: 0o600 });
});
after(() => rm(folder, { recursive: true }));
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?a=b`;
}

async function receive(...replies: readonly Reply[]): Promise<{ readonly url: string; readonly received: Received[] }> {
  const received: Received[] = [];
  const url = await listen(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const reply = replies[received.length] ?? { status: 500 };
    received.push({ method: request.method, headers: request.headers, body: Buffer.concat(parts).toString() });
    if (reply === "break") request.socket.destroy();
    else response.writeHead(reply.status, reply.headers).end(reply.says ?? "");
  });
  return { url, received };
}

/** Waits are a thousandth of what they are, and are noted. */
function hurried(): { readonly clock: Clock; readonly waits: number[] } {
  const waits: number[] = [];
  let ahead = 0;
  const clock: Clock = {
    now: () => monotonicClock.now() + ahead,
    setTimeout(callback, delayMs, signal) {
      // The time limit of a try, which no signal ends: the server is a real one, and needs real time.
      if (signal === undefined) return monotonicClock.setTimeout(callback, delayMs);
      waits.push(delayMs);
      const hurry = (): void => {
        ahead += delayMs;
        callback();
      };
      return monotonicClock.setTimeout(hurry, delayMs / 1000, signal);
    },
  };
  return { clock, waits };
}

async function deliver(
  url: string,
  options: Partial<Parameters<typeof deliverWebhook>[0]> = {},
): Promise<{ readonly missed: readonly string[]; readonly waits: readonly number[]; readonly answer?: string }> {
  const { clock, waits } = hurried();
  const missed: string[] = [];
  const answer = await deliverWebhook({
    isAnswerRead: false,
    ...{ url, secretFile, id: "x_after-proved_announce", body, timeoutMs: 300_000, random: () => 0.999 },
    ...{ signal: new AbortController().signal, clock: systemClock, monotonicClock: clock },
    missed: (why) => missed.push(why),
    ...options,
  });
  return { missed, waits, ...(answer !== undefined && { answer }) };
}

async function failureOf(work: Promise<unknown>): Promise<Failure> {
  const error = await work.then(
    () => assert.fail("it succeeded"),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof Failure, String(error));
  assert.equal(error.reason, "hook-failed");
  return error;
}

/** By openssl(1), from what a receiver has. */
async function expectedSignature({ headers, body: text }: Received): Promise<string> {
  const signed = path.join(folder, "signed");
  await writeFile(signed, `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${text}`);
  const { stdout } = await promisify(execFile)("sh", [
    "-c",
    `openssl dgst -sha256 -mac HMAC -macopt hexkey:${secret.toString("hex")} -binary "$1" | openssl base64`,
    "sh",
    signed,
  ]);
  return `v1,${stdout.trim()}`;
}

describe("a webhook", () => {
  it("that is refused twice for now is sent again with the same id and body, each time signed anew", async () => {
    const { url, received } = await receive({ status: 503 }, "break", { status: 204 });
    const { missed, waits } = await deliver(url);
    assert.equal(received.length, 3);
    for (const each of received) {
      const { method, headers } = each;
      assert.deepEqual([method, each.body, headers["content-type"]], ["POST", body, "application/json"]);
      assert.equal(headers["webhook-id"], "x_after-proved_announce");
      assert.ok(Math.abs(Number(headers["webhook-timestamp"]) - Date.now() / 1000) < 300);
      assert.equal(headers["webhook-signature"], await expectedSignature(each));
    }
    assert.deepEqual(missed, ["it answered with 503", "socket hang up"]);
    assert.deepEqual(waits, [1000, 1999]);
  });

  it("waits for as long as its receiver asks", async () => {
    const { url } = await receive({ status: 429, headers: { "retry-after": "17" } }, { status: 200 });
    assert.deepEqual((await deliver(url)).waits, [17_000]);
  });

  it("that nobody takes fails when its time is over, with the last answer", async () => {
    const { url, received } = await receive();
    const { message } = await failureOf(deliver(url, { timeoutMs: 20_000 }));
    assert.match(
      message,
      /^http:\/\/127\.0\.0\.1:\d+\/hook\?a=b: it answered with 500, after 5 tries; its time limit \(timeoutMs\) is 20 s$/,
    );
    assert.equal(received.length, 5);
  });

  it("is not sent again after a refusal, and no redirect is followed", async () => {
    const { url, received } = await receive(
      { status: 404, says: "no such hook" },
      { status: 302, headers: { location: "/" } },
    );
    const { message, evidence } = await failureOf(deliver(url));
    assert.match(message, /: it answered with 404$/);
    assert.equal(evidence.found, "no such hook");
    assert.match((await failureOf(deliver(url))).message, /: it answered with 302, and redirects are not followed$/);
    assert.equal(received.length, 2);
  });

  it("is tried again where nobody listens, and where the receiver does not answer in time", async () => {
    const { url } = await receive();
    for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
    assert.match((await failureOf(deliver(url, { timeoutMs: 20_000 }))).message, /ECONNREFUSED.*, after 5 tries/);
    const silent = await listen(() => undefined);
    const { message } = await failureOf(deliver(silent, { timeoutMs: 500, monotonicClock }));
    assert.match(message, /: no answer within 0\.\d+ s; its time limit \(timeoutMs\) is 0\.5 s$/);
  });

  it("is taken when the receiver says so, however much it says after it", async () => {
    const url = await listen((_request, response) => {
      response.writeHead(200);
      const flood = (): void => {
        while (!response.destroyed && response.write("x".repeat(65_536)));
      };
      response.on("drain", flood).on("error", () => undefined);
      flood();
    });
    assert.deepEqual((await deliver(url)).missed, []);
  });

  it("whose answer is read has it whole, and asks again where it was cut short", async () => {
    let tries = 0;
    const url = await listen((_request, response) => {
      tries += 1;
      response.writeHead(200, { "content-length": 7 });
      if (tries > 1) response.end('{"a":1}');
      else response.write('{"a"', () => response.destroy());
    });
    const { missed, answer } = await deliver(url, { isAnswerRead: true });
    assert.equal(answer, '{"a":1}');
    assert.equal(missed.length, 1);
  });

  it("whose answer is read fails where it is too long, and where it is refused with what was said", async () => {
    const flood = await listen((_request, response) => {
      response.writeHead(200).end("canary".repeat(100_000));
    });
    const { message, evidence } = await failureOf(deliver(flood, { isAnswerRead: true }));
    assert.match(message, /: it answered with more than 262144 bytes$/);
    assert.deepEqual(evidence, {});
    const { url } = await receive({ status: 403, says: "not this node" });
    assert.equal((await failureOf(deliver(url, { isAnswerRead: true }))).evidence.found, "not this node");
  });

  it("ends at once when it is cancelled", async () => {
    const cancel = new AbortController();
    const url = await listen(() => cancel.abort(new Error("cancelled")));
    await assert.rejects(deliver(url, { signal: cancel.signal }), /^Error: cancelled$/);
  });

  it("is not sent with a secret that others can read, or that is none", async () => {
    const { url, received } = await receive({ status: 200 });
    const open = path.join(folder, "open");
    await writeFile(open, `whsec_${secret.toString("base64")}`);
    await chmod(open, 0o644);
    const says = async (file: string): Promise<string> => (await failureOf(deliver(url, { secretFile: file }))).message;
    assert.match(await says(open), /: the secret file .*\/open cannot be used: other users .* chmod 600 /);
    await chmod(open, 0o600);
    await writeFile(open, "hunter2");
    assert.match(await says(open), /: the secret file .*\/open cannot be used: it is not one line of "whsec_"/);
    assert.match(await says(path.join(folder, "absent")), /cannot be used: ENOENT$/);
    assert.match(await says(folder), /cannot be used: it is not a file$/);
    assert.equal(received.length, 0);
  });
});
