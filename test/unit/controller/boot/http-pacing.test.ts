import assert from "node:assert/strict";
import { mkdtemp, readdir, readlink, rm, writeFile } from "node:fs/promises";
import { Agent, request as httpRequest, type IncomingMessage } from "node:http";
import os from "node:os";
import path from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { pino } from "pino";
import { createHttpServer, type HttpServerOptions } from "../../../../controller/boot/http-server.ts";
import { createPacer, type Pacer } from "../../../../controller/uplink/pacer.ts";
import { toleranceMs } from "../../../../controller/uplink/token-bucket.ts";
import { createTrafficMeter } from "../../../../controller/uplink/traffic-meter.ts";
import { monotonicClock } from "../../../../proto/time/clock.ts";
import { until } from "../../../until.ts";
import { createManualClock } from "../../proto/time/manual-clock.ts";
import { digest } from "./a-node.ts";
import { bytesOf, inMemoryFiles } from "./tftp/in-memory-files.ts";

const image = bytesOf("image", 1_000_000);
const kernel = bytesOf("kernel", 300_001);
const imagePath = `/images/${digest}.zst`;
let folder = "";

before(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "pallet-paced-"));
  await writeFile(path.join(folder, "image.zst"), image);
});
after(() => rm(folder, { recursive: true, force: true }));

async function start(test: TestContext, options: Partial<HttpServerOptions>) {
  const files = inMemoryFiles(() => kernel);
  const images = { packFile: () => path.join(folder, "image.zst") };
  const log = pino({ level: "silent" });
  const server = await createHttpServer({ address: "127.0.0.1", port: 0, files, images, log, ...options });
  test.after(() => server.close());
  const agent = new Agent({ keepAlive: true });
  test.after(() => agent.destroy());
  /** A request from an address of its own: one node. */
  const get = (requestPath: string, node = 1, headers: Record<string, string> = {}) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const from = { localAddress: `127.0.0.${node}`, host: "127.0.0.1", port: server.port, agent, headers };
      httpRequest({ ...from, path: requestPath }, resolve)
        .on("error", reject)
        .end();
    });
  return { get, files };
}

/** What arrives, as it arrives. */
function receive(response: IncomingMessage) {
  const received = { pieces: [] as Buffer[], bytes: 0, isOver: false };
  response.on("data", (piece: Buffer) => {
    received.pieces.push(piece);
    received.bytes += piece.length;
  });
  response.on("end", () => {
    received.isOver = true;
  });
  response.on("error", () => {});
  return received;
}

/** Whether this process holds the image's file open. */
async function holdsImage(): Promise<boolean> {
  const links = await Promise.all(
    (await readdir("/proc/self/fd")).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => "")),
  );
  return links.some((link) => link.startsWith(folder));
}

const soon = () => new Promise((resolve) => setTimeout(resolve, 1));

describe("HTTP server with caps", () => {
  it("sends no faster than the total and each node's own cap allow, and every byte", async (test) => {
    const clock = createManualClock(0);
    const caps = { totalBytesPerSecond: 1_000_000, perNodeBytesPerSecond: 600_000 };
    const pacer = createPacer({ caps, clock });
    const { get } = await start(test, { pacer });
    const first = receive(await get(imagePath, 1));
    const second = receive(await get("/boot/agent/vmlinuz", 2));
    const allowed = (rate: number, connections: number) =>
      rate * ((clock.now() + toleranceMs) / 1000) + connections * pacer.pieceBytes;
    while (!first.isOver || !second.isOver) {
      await clock.advanceSettling(5);
      await soon();
      assert.ok(first.bytes + second.bytes <= allowed(caps.totalBytesPerSecond, 2));
      for (const { bytes } of [first, second]) assert.ok(bytes <= allowed(caps.perNodeBytesPerSecond, 1));
      assert.ok(clock.now() < 60_000, "it stopped sending");
    }
    assert.ok(Buffer.concat(first.pieces).equals(image));
    assert.ok(Buffer.concat(second.pieces).equals(kernel));
  });

  it("serves ranges under a cap, one after the other on one connection", async (test) => {
    const pacer = createPacer({ caps: { totalBytesPerSecond: 100_000_000 }, clock: monotonicClock });
    const { get } = await start(test, { pacer });
    const ports = new Set<number | undefined>();
    for (const from of [0, 1, 65_535, 65_536, 999_999]) {
      const response = await get(imagePath, 1, { range: `bytes=${from}-${from + 99_999}` });
      ports.add(response.socket.localPort);
      assert.equal(response.statusCode, 206);
      const pieces: Buffer[] = [];
      for await (const piece of response) pieces.push(piece);
      assert.ok(Buffer.concat(pieces).equals(image.subarray(from, from + 100_000)));
    }
    assert.equal(ports.size, 1);
  });

  it("lets go of the file and of its turn when a client leaves while it is held back", async (test) => {
    let waiting = 0;
    const pacer: Pacer = {
      pieceBytes: 4096,
      take: (_node, _bytes, signal) =>
        new Promise((_resolve, reject) => {
          waiting += 1;
          signal.addEventListener("abort", () => {
            waiting -= 1;
            reject(signal.reason);
          });
        }),
    };
    const { get, files } = await start(test, { pacer });
    for (const requestPath of [imagePath, "/boot/agent/vmlinuz"]) {
      const response = await get(requestPath);
      receive(response);
      await until(() => waiting > 0, "nothing is held back");
      response.destroy();
      await until(async () => waiting === 0 && !(await holdsImage()), "the file or its turn is still held");
    }
    await until(() => files.closed.length > 0, "the file is still open");
    assert.partialDeepStrictEqual(files.closed, [{ outcome: "aborted", bytes: 0 }]);
  });
});

describe("HTTP server without caps", () => {
  it("lets go of the file when a client leaves in the middle", async (test) => {
    const { get } = await start(test, {});
    const response = await get(imagePath);
    response.pause();
    await until(async () => (await holdsImage()) || response.readableLength > 0, "nothing is sent");
    response.destroy();
    await until(async () => !(await holdsImage()), "the file is still open");
  });

  it("waits for a reader that pauses longer than requests and idle connections may", async (test) => {
    const huge = bytesOf("huge", 30_000_000);
    const limits = { headersTimeoutMs: 50, keepAliveTimeoutMs: 50 };
    const { get } = await start(test, { files: inMemoryFiles(() => huge), limits });
    const response = await get("/boot/huge");
    response.pause();
    await new Promise((resolve) => setTimeout(resolve, 300));
    const received = receive(response);
    response.resume();
    await until(() => received.isOver, "it stopped sending");
    assert.ok(Buffer.concat(received.pieces).equals(huge));
  });

  it("closes connections over which nothing more is asked", async (test) => {
    const { get } = await start(test, { limits: { keepAliveTimeoutMs: 50 } });
    const response = await get("/healthz");
    const closed = new Promise((resolve) => response.socket.once("close", resolve));
    receive(response);
    await closed;
  });

  it("shows its connections to a meter, which knows what went to whom", async (test) => {
    const clock = createManualClock(0);
    const meter = createTrafficMeter({ clock });
    const { get } = await start(test, { meter });
    const received = receive(await get(imagePath, 3));
    await until(() => received.isOver, "it stopped sending");
    await clock.advanceSettling(1000);
    const rate = meter.rateOf("127.0.0.3");
    assert.ok(rate >= 1_000_000 && rate < 1_001_000, `a rate of ${rate}`);
    assert.equal(meter.totalRate(), rate);
  });
});
