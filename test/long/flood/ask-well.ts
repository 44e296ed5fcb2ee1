// A well-behaved client, as a program for a place of its own on the rack's network: asks TFTP, HTTP, HTTPS and gRPC in
// turn, each time anew, until its input ends, and holds each answer against what it knows to be right. Prints then, as
// one line of JSON, how it was served.
//
//   node ask-well.ts '{"server": "IPV4", "bundle": "FILE", …}'
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { get as getPlain } from "node:http";
import { get as getSecure, type RequestOptions } from "node:https";
import process from "node:process";
import { buffer } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { createSecureContext } from "node:tls";
import { credentials } from "@grpc/grpc-js";
import { parseBundle } from "../../../controller/cli/connection/parse-bundle.ts";
import { ControllerServiceClient } from "../../../proto/gen/pallet/v1/controller.ts";
import { ask } from "../../../proto/grpc/call.ts";
import { tftpGet } from "../../rack/machine/tftp-client.ts";

/** What the client is told. */
export interface GoodOrder {
  readonly server: string;
  readonly ports: Readonly<Record<"tftp" | "http" | "https" | "grpc", number>>;
  /** A boot file, and the SHA-256 of what is in it. */
  readonly kernel: { readonly path: string; readonly sha256: string };
  /** Digest of an image's manifest: its SHA-256. */
  readonly manifest: string;
  /** An operator's bundle. */
  readonly bundle: string;
  /** Nodes that are proved or being reimaged, whatever happens. */
  readonly macs: readonly string[];
}

/** How one kind of question was answered. */
export interface Served {
  readonly right: number;
  /** What came instead. */
  readonly wrong: readonly string[];
  readonly medianMs: number;
  readonly slowestMs: number;
}

const order = JSON.parse(process.argv[2] ?? "") as GoodOrder;
const { server, ports, kernel, manifest, macs } = order;
const { key, cert, ca, serverName } = parseBundle(await readFile(order.bundle, "utf8"), order.bundle);
const host = server;
const patienceMs = 60_000;
const pauseMs = 200;

async function fetchWhole(get: typeof getPlain, options: RequestOptions): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const signal = AbortSignal.timeout(patienceMs);
  get({ ...options, host, agent: false, signal }, (response) => {
    if (response.statusCode === 200) buffer(response).then(resolve, reject);
    else reject(new Error(`HTTP status ${response.statusCode}`));
  }).on("error", reject);
  return await promise;
}

function assertHolds(content: Buffer, sha256: string): void {
  const found = createHash("sha256").update(content).digest("hex");
  if (found !== sha256) throw new Error(`${content.length} bytes of SHA-256 ${found} instead of ${sha256}`);
}

async function listNodes(): Promise<void> {
  const context = createSecureContext({ key, cert, ca: [...ca], minVersion: "TLSv1.3" });
  const client = new ControllerServiceClient(`${server}:${ports.grpc}`, credentials.createFromSecureContext(context), {
    "grpc.ssl_target_name_override": serverName,
    "grpc.enable_http_proxy": 0,
    "grpc.use_local_subchannel_pool": 1,
  });
  try {
    const { nodes } = await ask(client, client.listNodes, {}, { timeoutMs: patienceMs });
    const known = new Set(nodes.filter(({ accepted }) => accepted).map(({ nodeId }) => nodeId));
    const missing = macs.filter((mac) => !known.has(mac));
    if (missing.length > 0) throw new Error(`${missing.join(", ")} missing among ${nodes.length} nodes`);
    if (known.size !== macs.length) throw new Error(`${known.size} accepted nodes instead of ${macs.length}`);
  } finally {
    client.close();
  }
}

const questions: Readonly<Record<string, () => Promise<void>>> = {
  TFTP: async () => assertHolds(await tftpGet({ address: server, port: ports.tftp, path: kernel.path }), kernel.sha256),
  HTTP: async () =>
    assertHolds(await fetchWhole(getPlain, { port: ports.http, path: `/boot/${kernel.path}` }), kernel.sha256),
  healthz: async () => {
    const said = (await fetchWhole(getPlain, { port: ports.http, path: "/healthz" })).toString().trim();
    if (said !== "ok") throw new Error(`"${said}" instead of "ok"`);
  },
  HTTPS: async () => {
    const tls = { key, cert, ca: [...ca], servername: serverName };
    const path = `/images/${manifest}.manifest`;
    assertHolds(await fetchWhole(getSecure as typeof getPlain, { ...tls, port: ports.https, path }), manifest);
  },
  gRPC: listNodes,
};

const stopped = new AbortController();
process.stdin.once("end", () => stopped.abort()).resume();
async function askAgain(question: () => Promise<void>): Promise<Served> {
  const times: number[] = [];
  const wrong: string[] = [];
  while (!stopped.signal.aborted) {
    const startedAt = performance.now();
    try {
      await question();
      times.push(Math.round(performance.now() - startedAt));
    } catch (error) {
      wrong.push(`after ${Math.round(performance.now() - startedAt)} ms: ${String(error)}`);
    }
    await delay(pauseMs);
  }
  times.sort((one, other) => one - other);
  return { right: times.length, wrong, medianMs: times[times.length >> 1] ?? 0, slowestMs: times.at(-1) ?? 0 };
}
const served = await Promise.all(
  Object.entries(questions).map(async ([name, question]) => [name, await askAgain(question)] as const),
);
process.stdout.write(`${JSON.stringify(Object.fromEntries(served))}\n`);
process.exit();
