import assert from "node:assert/strict";
import type { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:https";
import os from "node:os";
import path from "node:path";
import { after, describe, it, type TestContext } from "node:test";
import { connect, type TLSSocket } from "node:tls";
import { pino } from "pino";
import { createHttpServer, type HttpServerOptions } from "../../../../controller/boot/http-server.ts";
import { whyNoPacks } from "../../../../controller/boot/judge-fetch.ts";
import type { Authority, Credential } from "../../../../controller/identity/authority.ts";
import { createPacer } from "../../../../controller/uplink/pacer.ts";
import { createTrafficMeter } from "../../../../controller/uplink/traffic-meter.ts";
import { judgePeer } from "../../../../proto/identity/judge-peer.ts";
import { limits } from "../../../../proto/limits.ts";
import type { NodeId } from "../../../../proto/names/node-id.ts";
import { monotonicClock } from "../../../../proto/time/clock.ts";
import { until } from "../../../until.ts";
import { anAuthority, credentialOf } from "../identity/an-authority.ts";
import { manifestDigest as digest } from "./a-node.ts";
import { bytesOf, inMemoryFiles } from "./tftp/in-memory-files.ts";

const folder = mkdtempSync(path.join(os.tmpdir(), "pallet-https-"));
after(() => rmSync(folder, { recursive: true }));
const image = bytesOf("image", 3_000_000);
const file = path.join(folder, "image.zst");
writeFileSync(file, image);

const nodeId = "b8:27:eb:00:00:01" as NodeId;
const netboot = { kind: "netboot", nodeId, bootId: "boot-1" } as const;

async function start(test: TestContext, authority: Authority, options: Partial<HttpServerOptions> = {}) {
  const whyRefused = (certificate: X509Certificate | undefined): string | undefined =>
    whyNoPacks(judgePeer(certificate, authority.trusted(), Date.now(), "client"), (name) => name === "ann");
  const server = await createHttpServer({
    ...{ address: "127.0.0.1", port: 0, log: pino({ level: "silent" }) },
    images: { packFile: (of) => (of === digest ? file : undefined) },
    tls: { leafFor: authority.leafFor, onChange: authority.onChange, whyRefused },
    ...options,
  });
  test.after(() => server.close());
  /** Status, and body. */
  async function get(urlPath: string, credential?: Credential, headers = {}): Promise<[number, Buffer]> {
    const agent = new Agent({ rejectUnauthorized: false });
    const asked = request({
      ...{ host: "127.0.0.1", port: server.port, path: urlPath, headers, agent },
      ...{ rejectUnauthorized: false, ...credential },
    });
    asked.end();
    const [answer] = await once(asked, "response");
    const pieces: Buffer[] = [];
    for await (const piece of answer) pieces.push(piece);
    agent.destroy();
    return [answer.statusCode, Buffer.concat(pieces)];
  }
  return { server, get };
}

const pack = `/images/${digest}.zst`;

describe("packs over TLS", () => {
  it("go to netbooted agents and operators of this controller, and to nobody else", async (test) => {
    const [authority, strange] = [await anAuthority(), await anAuthority()];
    const { get } = await start(test, authority);
    const rows: readonly (readonly [who: string, Credential | undefined, number, RegExp?])[] = [
      ["a netbooted agent", credentialOf(authority, netboot), 200],
      ["an operator", credentialOf(authority, { kind: "operator", name: "ann" }), 200],
      [
        "an operator that was revoked",
        credentialOf(authority, { kind: "operator", name: "bob" }),
        403,
        /not for operator bob/,
      ],
      [
        "a resident agent",
        credentialOf(authority, { kind: "resident", nodeId }),
        403,
        /not for the resident agent of node b8/,
      ],
      ["a stranger", credentialOf(strange, netboot), 403, /signed by no authority that is known here/],
      ["nobody", undefined, 403, /who show a certificate/],
    ];
    for (const [who, credential, status, message] of rows) {
      const [found, body] = await get(pack, credential);
      assert.equal(found, status, who);
      if (message === undefined) assert.ok(body.equals(image), who);
      else assert.match(String(body), message);
    }
    assert.deepEqual(await get("/healthz"), [200, Buffer.from("ok\n")]);
  });

  it("come in ranges, at the pace that is set, and are counted by address", async (test) => {
    const authority = await anAuthority();
    const meter = createTrafficMeter({ clock: monotonicClock });
    let taken = 0;
    const pacer = createPacer({ caps: { perNodeBytesPerSecond: 1e9 }, clock: monotonicClock });
    const counting = {
      ...pacer,
      take: (...given: Parameters<typeof pacer.take>) => {
        taken += given[1];
        return pacer.take(...given);
      },
    };
    const { get } = await start(test, authority, { meter, pacer: counting });
    const credential = credentialOf(authority, netboot);
    const [status, body] = await get(pack, credential, { Range: "bytes=1000-2000999" });
    assert.equal(status, 206);
    assert.ok(body.equals(image.subarray(1000, 2_001_000)));
    assert.ok(taken >= 2_000_000, `${taken}`);
    await until(() => meter.rateOf("127.0.0.1") > 0, "nothing is counted");
  });

  it("have a port of their own: boot files and packs are not to be had at the other's", async (test) => {
    const authority = await anAuthority();
    const files = inMemoryFiles(() => Buffer.from("kernel"));
    const { get } = await start(test, authority);
    assert.equal((await get("/boot/vmlinuz", credentialOf(authority, netboot)))[0], 404);
    const plain = await createHttpServer({ address: "127.0.0.1", port: 0, files, log: pino({ level: "silent" }) });
    test.after(() => plain.close());
    assert.equal((await fetch(`http://127.0.0.1:${plain.port}/boot/vmlinuz`)).status, 200);
    assert.equal((await fetch(`http://127.0.0.1:${plain.port}${pack}`)).status, 404);
  });

  it("leave strangers few connections, whatever those do with them, and serve the others", async (test) => {
    const authority = await anAuthority();
    const { server, get } = await start(test, authority);
    const most = limits.tls.strangersPerAddress.most;
    let closed = 0;
    for (let count = 0; count < most + 4; count += 1) {
      const socket = connect({ host: "127.0.0.1", port: server.port, rejectUnauthorized: false });
      test.after(() => socket.destroy());
      socket.on("error", () => undefined).once("close", () => (closed += 1));
      socket.write("GET /healthz HTTP/1.1\r\n");
    }
    await until(
      () => closed === 4,
      () => `${closed} are closed`,
    );
    assert.equal((await get(pack, credentialOf(authority, netboot)))[0], 200);
    assert.equal(closed, 4);
  });

  it("keep the server's bounds: connections, and the time for a request", async (test) => {
    const authority = await anAuthority();
    const { server } = await start(test, authority, { limits: { maxConnections: 1, headersTimeoutMs: 300 } });
    const open = (): TLSSocket => {
      const socket = connect({ host: "127.0.0.1", port: server.port, rejectUnauthorized: false });
      test.after(() => socket.destroy());
      return socket.on("error", () => undefined).resume();
    };
    const closed = (socket: TLSSocket) => new Promise<void>((resolve) => void socket.once("close", () => resolve()));
    const idle = open();
    const gaveWay = closed(idle);
    await once(idle, "secureConnect");
    const slow = open();
    await gaveWay;
    slow.write("GET / HTTP/1.1\r\n");
    await closed(slow);
  });
});
