// Malformed packets and messages of every kind, as a program for a stranger's place on the rack's network. Sends rounds
// of them from each of its addresses until it is told to stop by the end of its input, and no fewer than it was told to;
// prints then, as one line of JSON, how many of each it sent.
//
//   node send-flood.ts '{"server": "IPV4", "own": ["IPV4"], "nodes": [{"mac": "MAC", "address": "IPV4"}], …}'
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { type ClientHttp2Session, connect as connectHttp2, constants } from "node:http2";
import { connect, type Socket } from "node:net";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { EnrollRequest, EnrollResponse } from "../../../proto/gen/pallet/v1/enrollment.ts";
import { AgentRole } from "../../../proto/gen/pallet/v1/node.ts";
import { createKey, createRequest } from "../../../proto/identity/certificate-request.ts";
import { derToPem } from "../../../proto/identity/pem.ts";
import { agentWords } from "../../../proto/system/kernel-command-line.ts";
import { tftpGet } from "../../rack/machine/tftp-client.ts";
import { type Call, enrollment, framed, hostileCalls, malformedCalls } from "./calls.ts";
import { createChance } from "./chance.ts";
import { type Datagrams, dhcpDatagrams, movedDatagrams, type SpokenOf, tftpDatagrams } from "./datagrams.ts";
import { httpStreams, rawStreams, type Streams } from "./streams.ts";

/** What the flood is told. */
export interface FloodOrder {
  readonly server: string;
  /** Addresses to send from, three at least. */
  readonly own: readonly string[];
  readonly nodes: readonly SpokenOf[];
  readonly ports: Readonly<Record<"tftp" | "http" | "https" | "grpc" | "agent", number>>;
  /** A boot file that there is. */
  readonly kernel: string;
  readonly least: number;
  readonly seed: number;
  /** The doors to flood, by the names below; default: all. */
  readonly doors?: readonly string[];
}

/** What the flood prints at its end. */
export interface FloodReport {
  readonly total: number;
  /** By door, then by kind. */
  readonly sent: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Calls of the hostile node by their status, so that a flood that never got a certificate does not look like one. */
  readonly hostileEnds: Readonly<Record<string, number>>;
}

const { server, own, nodes, ports, kernel, least, seed, doors } = JSON.parse(process.argv[2] ?? "") as FloodOrder;
const chance = createChance(seed);
const { below, oneOf } = chance;
const dhcpPort = 67;
/**
 * Whoever calls has addresses of his own: those that open connections and say nothing soon have no more to open, and
 * would keep out calls whose requests are to be read.
 */
const callers = own.slice(-2);
const knockers = own.slice(0, -2);
/** Between two rounds. */
const pauseMs = 50;
/** Calls on one connection. */
const callsAtOnce = 20;
/** The stranger asks for a boot config as this board. */
const hostile = { mac: "02:66:6c:6f:6f:64", bootId: "hostile-boot" };

const udp: UdpSocket[] = [];
for (let index = 0; index < 64; index++) {
  const socket = createSocket("udp4");
  // Answers of ports that are closed, as of a node that is just booting.
  socket.on("error", () => undefined);
  socket.bind(0, own[index % own.length]);
  await once(socket, "listening");
  udp.push(socket);
}

/** Connections that are left open until there are too many of them. */
const open: Socket[] = [];
function leave(socket: Socket): void {
  socket.on("error", () => undefined);
  socket.setTimeout(60_000, () => socket.destroy());
  // Every second one never reads what it asked for.
  if (below(2) === 0) socket.resume();
  open.push(socket);
  for (const oldest of open.splice(0, Math.max(0, open.length - 900))) oldest.destroy();
}

function throwAt(host: string, port: number, bytes: Buffer): void {
  const socket = connect({ host, port, localAddress: oneOf(knockers) });
  leave(socket);
  socket.write(bytes);
}

/** Completes the handshake, without a certificate, and then says this. */
function throwInTls(port: number, protocol: string, bytes: Buffer): void {
  const socket = connectTls({
    ...{ host: server, port, rejectUnauthorized: false, ALPNProtocols: [protocol] },
    socket: connect({ host: server, port, localAddress: oneOf(knockers) }).on("error", () => undefined),
  });
  leave(socket);
  socket.once("secureConnect", () => socket.write(bytes));
}

const session = (tls: { readonly key?: string; readonly cert?: string } = {}): ClientHttp2Session => {
  const made = connectHttp2(`https://${server}:${ports.grpc}`, {
    ...{ ...tls, rejectUnauthorized: false, localAddress: oneOf(callers) },
  });
  return made.on("error", () => undefined);
};
const headers = ({ path, encoding }: Pick<Call, "path" | "encoding">): Record<string, string> => ({
  [constants.HTTP2_HEADER_METHOD]: "POST",
  [constants.HTTP2_HEADER_PATH]: path,
  "content-type": "application/grpc",
  ...(encoding !== undefined && { "grpc-encoding": encoding }),
  te: "trailers",
});

/** Gets a certificate as any board does that asks for its boot config. */
async function enrol(): Promise<{ readonly key: string; readonly cert: string }> {
  const path = `pxelinux.cfg/01-${hostile.mac.replaceAll(":", "-")}`;
  const config = (await tftpGet({ address: server, port: ports.tftp, path })).toString();
  const token = new RegExp(`${agentWords.token}=(\\S+)`).exec(config)?.[1];
  if (token === undefined) throw new Error(`no ${agentWords.token} in the boot config:\n${config}`);
  const key = createKey();
  const request = EnrollRequest.fromPartial({
    ...{ token, csrDer: Buffer.from(createRequest(key)), bootMac: hostile.mac, bootId: hostile.bootId },
    ...{ serial: "hostile", role: AgentRole.AGENT_ROLE_NETBOOT },
  });
  const connection = session();
  const stream = connection.request(headers({ path: enrollment("Enroll") }));
  stream.end(framed(EnrollRequest.encode(request).finish()));
  const answer = Buffer.concat(await stream.toArray());
  connection.destroy();
  if (answer.length < 5) throw new Error("the controller gives the hostile node no certificate");
  const { certificateDer } = EnrollResponse.decode(answer.subarray(5));
  return {
    key: key.export({ type: "pkcs8", format: "pem" }).toString(),
    cert: derToPem(certificateDer, "CERTIFICATE"),
  };
}

const hostileTls = await enrol();
const hostileEnds: Record<string, number> = {};

/** Calls on one connection, which is then left, or broken off. */
function callAll(calls: readonly Call[], tls?: { readonly key: string; readonly cert: string }): void {
  const connection = session(tls);
  for (const call of calls) {
    const stream = connection.request(headers(call));
    stream.on("error", () => undefined).resume();
    if (tls !== undefined) {
      // A refusal comes as the headers alone.
      const note = ({ "grpc-status": status }: { "grpc-status"?: string | string[] | undefined }): void => {
        if (status !== undefined) hostileEnds[String(status)] = (hostileEnds[String(status)] ?? 0) + 1;
      };
      stream.on("response", note).on("trailers", note);
    }
    stream.write(call.body);
    if (below(3) > 0) stream.end();
    else if (below(2) === 0) stream.close(constants.NGHTTP2_CANCEL);
  }
  setTimeout(() => connection.destroy(), 3000 + below(4000));
}

interface Door {
  /** Of each round. */
  readonly messages: number;
  readonly kinds: readonly string[];
  /** Sends so many of these kinds. */
  send(kinds: readonly string[]): void;
}

const byUdp = (messages: number, datagrams: Datagrams, port: number, to: () => string): Door => ({
  messages,
  kinds: Object.keys(datagrams),
  send: (kinds) => {
    for (const kind of kinds) oneOf(udp).send(datagrams[kind]?.() ?? Buffer.alloc(0), port, to());
  },
});
const byStream = (messages: number, streams: Streams, send: (bytes: Buffer) => void): Door => ({
  messages,
  kinds: Object.keys(streams),
  send: (kinds) => {
    for (const kind of kinds) send(streams[kind]?.() ?? Buffer.alloc(0));
  },
});
const byCall = (
  calls: Readonly<Record<string, () => Call>>,
  tls?: { readonly key: string; readonly cert: string },
): Door => ({
  messages: callsAtOnce / 2,
  kinds: Object.keys(calls),
  send: (kinds) =>
    callAll(
      kinds.map((kind) => calls[kind]?.()).filter((call) => call !== undefined),
      tls,
    ),
});

const toServer = (): string => server;
const toNode = (): string => oneOf(nodes).address;
const http = httpStreams(chance, kernel);
const raw = rawStreams(chance);
const calls = malformedCalls(chance);
const every: Readonly<Record<string, Door>> = {
  TFTP: byUdp(40, tftpDatagrams(chance, kernel), ports.tftp, toServer),
  DHCP: byUdp(10, dhcpDatagrams(chance, server, nodes), dhcpPort, toServer),
  "agents' UDP": byUdp(4, movedDatagrams(chance, own[0] ?? server), ports.agent, toNode),
  HTTP: byStream(10, http, (bytes) => throwAt(server, ports.http, bytes)),
  "HTTPS port": byStream(3, raw, (bytes) => throwAt(server, ports.https, bytes)),
  HTTPS: byStream(3, http, (bytes) => throwInTls(ports.https, "http/1.1", bytes)),
  "gRPC port": byStream(4, raw, (bytes) => throwAt(server, ports.grpc, bytes)),
  "HTTP/2": byStream(2, raw, (bytes) => throwInTls(ports.grpc, "h2", bytes)),
  "agents' port": byStream(4, raw, (bytes) => throwAt(toNode(), ports.agent, bytes)),
  gRPC: byCall(calls),
  "gRPC of a hostile node": byCall(
    {
      ...calls,
      ...hostileCalls(
        chance,
        hostile,
        nodes.map(({ mac }) => mac),
      ),
    },
    hostileTls,
  ),
};
const flooded = Object.entries(every).filter(([name]) => doors?.includes(name) ?? true);

const stopped = new AbortController();
process.stdin.once("end", () => stopped.abort()).resume();
const sent: Record<string, Record<string, number>> = {};
let total = 0;
while (!stopped.signal.aborted || total < least) {
  for (const [name, { messages, kinds, send }] of flooded) {
    const drawn = Array.from({ length: messages }, () => oneOf(kinds));
    send(drawn);
    const ofDoor = sent[name] ?? {};
    for (const kind of drawn) ofDoor[kind] = (ofDoor[kind] ?? 0) + 1;
    sent[name] = ofDoor;
    total += messages;
  }
  await delay(pauseMs);
}
process.stdout.write(`${JSON.stringify({ total, sent, hostileEnds } satisfies FloodReport)}\n`);
process.exit();
