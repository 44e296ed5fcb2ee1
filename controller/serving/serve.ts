import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "pino";
import type { NodeId } from "../../proto/node-id.ts";
import type { Clock } from "../../proto/time/clock.ts";
import type { AgentConnector } from "../agents/agent-port.ts";
import type { NodeProbe } from "../agents/probe-node.ts";
import { createBootFiles } from "../boot/boot-files.ts";
import { chooseAgentBoot } from "../boot/choose-agent-boot.ts";
import { createFirmwareBoot } from "../boot/firmware-boot.ts";
import type { HttpServer, HttpServerOptions } from "../boot/http-server.ts";
import { assertBootProfile, type BootEndpoints, type BootProfile } from "../boot/plan-boot.ts";
import type { TftpServer, TftpServerOptions } from "../boot/tftp/tftp-server.ts";
import { readBootTreeManifest } from "../boot-tree/read-manifest.ts";
import type { Problem } from "../check/problem.ts";
import { watchProblems } from "../check/watch-problems.ts";
import type { Config } from "../config/config.ts";
import { insecureDoors } from "../config/insecure-tcp.ts";
import { createEventLog } from "../events/event-log.ts";
import type { ImageDeriver } from "../images/derive/image-deriver.ts";
import type { ImageStore } from "../images/image-store.ts";
import { createNodeLogs } from "../logs/node-logs.ts";
import { chooseSourceAddress } from "../network/choose-source-address.ts";
import type { MachineRole } from "../network/dnsmasq/choose-offers.ts";
import type { Dnsmasq, DnsmasqOptions } from "../network/dnsmasq/dnsmasq.ts";
import type { InterfaceAddress } from "../network/interface-address.ts";
import { hostPort } from "../network/listen-failure.ts";
import type { NfsServiceOptions } from "../network/nfs/nfs-service.ts";
import type { NfsProbe } from "../network/nfs/probe-nfs.ts";
import { findBoard } from "../nodes/find-node.ts";
import { createNodeRegistry } from "../nodes/node-registry.ts";
import { createRollouts } from "../reimage/rollouts.ts";
import type { ControllerStatus } from "../rpc/doors/parts.ts";
import type { GrpcServer, GrpcServerOptions } from "../rpc/grpc-server.ts";
import type { Store } from "../store/open-store.ts";
import { createPacer } from "../uplink/pacer.ts";
import { createTrafficMeter } from "../uplink/traffic-meter.ts";
import { createUplink } from "../uplink/uplink.ts";
import { createBootPlanner } from "./boot-planner.ts";
import { grpcListener, httpListener, listen, tftpListener } from "./listeners.ts";
import { openNetworkServices } from "./open-network-services.ts";
import { createPatience } from "./patience.ts";

/** The real parts that main.ts constructs. */
export interface ServeAdapters {
  readonly version: string;
  readonly clock: Clock;
  /** Its `now` only moves on. */
  readonly monotonicClock: Clock;
  readonly log: Logger;
  agentConnector(options: { readonly sourceAddress: (agentAddress: string) => string | undefined }): AgentConnector;
  readonly probeNode: NodeProbe;
  openStore(path: string): Store;
  openImages(options: { readonly directory: string; readonly log: Logger }): Promise<ImageStore>;
  imageDeriver(options: { readonly images: ImageStore; readonly directory: string }): ImageDeriver;
  /** The IPv4 addresses of this machine. */
  interfaceAddresses(): readonly InterfaceAddress[];
  /** Everything that would keep a node from booting now. */
  findProblems(config: Config): Promise<readonly Problem[]>;
  /** What this machine is for the network. */
  machineRole(): Promise<MachineRole>;
  /** Speed of a network interface in bytes per second; undefined when it tells none. */
  linkSpeed(interfaceName: string): number | undefined;
  /** The MAC address of a machine on the local network that has just sent something. */
  macAddressOf(address: string): Promise<NodeId | undefined>;
  startDnsmasq(options: DnsmasqOptions): Promise<Dnsmasq>;
  readonly nfsServers: NfsServiceOptions["servers"];
  probeNfs(probe: NfsProbe): Promise<void>;
  listenTftp(options: TftpServerOptions): Promise<TftpServer>;
  listenHttp(options: HttpServerOptions): Promise<HttpServer>;
  listenGrpc(options: Omit<GrpcServerOptions, "credentials" | "socketCredentials">): Promise<GrpcServer>;
}

/** How long a shutdown may take before the process ends anyway, in milliseconds. */
const shutdownMs = 10_000;

/**
 * Runs a controller until the signal aborts, and resolves once everything is closed. Logs {msg: "serving"} with the
 * addresses as soon as everything is up. Throws a Failure when something cannot be had.
 */
export async function serve(config: Config, adapters: ServeAdapters, signal: AbortSignal): Promise<void> {
  const { log } = adapters;
  const running = new AsyncDisposableStack();
  const failed = new AbortController();
  const started = start(config, adapters, running, AbortSignal.any([signal, failed.signal]));
  try {
    await Promise.race([started.then((addresses) => log.info(addresses, "serving")), aborted(signal)]);
    await aborted(signal);
    log.info("shutting down");
  } finally {
    failed.abort();
    // What was about to open when the signal came is closed with the rest.
    const settled = started.then(
      () => undefined,
      () => undefined,
    );
    const closed = settled.then(() => running.disposeAsync());
    await within(shutdownMs, closed, log);
  }
}

/**
 * Starts everything, what others need first; `running` stops it in the reverse order. The unix socket answers at once;
 * the rest waits for what is not there yet.
 */
async function start(
  config: Config,
  adapters: ServeAdapters,
  running: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<Record<"grpc" | "http" | "tftp" | "socket" | "dhcp" | "nfs", string>> {
  const { clock, log } = adapters;
  const agents = adapters.agentConnector({
    sourceAddress: (agentAddress) => {
      const own = adapters.interfaceAddresses().map(({ address }) => address);
      return chooseSourceAddress(config, own, agentAddress);
    },
  });
  const problems = await watchProblems({ find: () => adapters.findProblems(config), clock, log, signal });
  const patience = createPatience({ clock, log, signal });
  const startedAt = clock.now();
  const reached = (port: number): string => hostPort(config.advertise, port);
  const endpointsAt = (grpcPort: number): BootEndpoints => ({
    controller: reached(grpcPort),
    ...(config.nfs.mode !== "none" &&
      config.nfs.rootfs !== undefined && { nfsRoot: { server: config.advertise, path: config.nfs.rootfs } }),
  });
  // Read at each boot: the tree may be built anew while it is served.
  const profile = async (): Promise<BootProfile> => {
    const built = await readBootTreeManifest(config.bootTree).catch((error: unknown) => {
      log.error({ err: error }, "it is not known what the boot tree holds");
      return undefined;
    });
    return { agent: chooseAgentBoot(config.bootProfile.agent, built), local: config.bootProfile.local };
  };
  assertBootProfile(await profile(), endpointsAt(config.grpcPort));

  for (const directory of [config.stateDirectory, config.imageDirectory, config.bootTree]) {
    await mkdir(directory, { recursive: true, mode: 0o750 });
  }
  const store = adapters.openStore(join(config.stateDirectory, "pallet.sqlite"));
  running.defer(() => store.close());
  const events = createEventLog({ rows: store.events, clock });
  const { heartbeatIntervalMs } = config;
  const nodes = createNodeRegistry({
    rows: store.nodes,
    events,
    clock,
    heartbeatIntervalMs,
    log,
    macAddressOf: adapters.macAddressOf,
  });
  running.defer(() => nodes.close());
  const nodeLogs = createNodeLogs({ rows: store.nodeLogs, nodes, clock, log });
  const images = await adapters.openImages({ directory: config.imageDirectory, log });
  const deriver = adapters.imageDeriver({ images, directory: config.imageDirectory });

  const endpoints = Promise.withResolvers<BootEndpoints>();
  const planner = createBootPlanner({
    nodes,
    images,
    events,
    profile,
    endpoints: endpoints.promise,
  });
  const files = createBootFiles({
    tree: config.bootTree,
    images,
    bootSpecFor: planner.bootSpecFor,
    ...(config.bootProfile.menu && {
      menu: {
        title: "Pallet",
        timeoutMs: config.bootProfile.menuTimeoutMs,
        otherSpecFor: planner.otherSpecFor,
      },
    }),
    ...(config.bootProfile.loader !== "u-boot" && {
      firmware: createFirmwareBoot({
        loader: config.bootProfile.loader,
        nodeOf: async (board, address) => findBoard(nodes.list(), board) ?? adapters.macAddressOf(address),
        specOf: planner.specOf,
        bootSpecFor: planner.bootSpecFor,
      }),
    }),
    recordFetch: nodes.recordFetch,
    log,
  });

  const { limits } = config;
  const meter = createTrafficMeter({ clock: adapters.monotonicClock });
  const isCapped = limits.totalBytesPerSecond !== undefined || limits.perNodeBytesPerSecond !== undefined;
  const pacer = isCapped ? { pacer: createPacer({ caps: limits, clock: adapters.monotonicClock }) } : {};
  const ports = { grpc: config.grpcPort, http: config.httpPort, tftp: config.tftpPort };
  const httpUp = patience.until("HTTP", async () => {
    const http = await listen(httpListener(config), (address, port) =>
      adapters.listenHttp({ address, port, files, images, meter, ...pacer, log }),
    );
    running.defer(() => http.close());
    ports.http = http.port;
  });
  await httpUp.first;
  const uplink = createUplink({
    limits,
    meter,
    clock: adapters.monotonicClock,
    linkSpeed() {
      const own = [config.advertise, config.listen];
      const found = adapters.interfaceAddresses().find(({ address }) => own.includes(address));
      return found && adapters.linkSpeed(found.interface);
    },
  });

  const rollouts = createRollouts({
    nodes,
    images,
    agents,
    probeNode: adapters.probeNode,
    uplink,
    events,
    clock,
    log,
    packUrls: ({ pack }) => {
      const url = `http://${reached(ports.http)}/images/${pack.manifestDigest}`;
      return { pack: `${url}.zst`, manifest: `${url}.manifest` };
    },
    cardFirmware: config.bootProfile.cardFirmware,
    journal: store.journal,
    settings: config.reimage,
  });
  running.defer(() => rollouts.close());
  // Before the first call can come in: no rollout may start on a node whose reimage the journal still knows.
  rollouts.resume();

  const status = (): ControllerStatus => ({
    version: adapters.version,
    startedAt,
    grpcAddress: reached(ports.grpc),
    insecureTcp: config.insecureTcp,
    httpUrl: `http://${reached(ports.http)}`,
    tftpAddress: reached(ports.tftp),
    waitingFor: [...problems.now(), ...patience.waiting()],
    uplink: {
      bytesPerSecond: uplink.bytesPerSecond(),
      capacity: uplink.capacity(),
      ...rollouts.writers(),
      mostWriters: uplink.mostWriters,
    },
  });
  const grpc = await adapters.listenGrpc({
    parts: { nodes, nodeLogs, images, deriver, rollouts, events, agents, status },
    heartbeatIntervalMs,
    socket: config.socket,
    insecureTcp: config.insecureTcp,
    log,
  });
  running.defer(() => grpc.close());
  events.append({ type: "controller-started", severity: "info", message: `controller ${adapters.version} started` });
  running.defer(() => {
    events.append({ type: "controller-stopped", severity: "info", message: "the controller is stopping" });
  });

  const grpcUp = patience.until("gRPC", async () => {
    ports.grpc = await listen(grpcListener(config), grpc.listenTcp);
  });
  await Promise.all([httpUp.opened, grpcUp.opened]);
  for (const message of insecureDoors(config, ports.grpc)) {
    log.warn(message);
    events.append({ type: "insecure-tcp-opened", severity: "warning", message });
  }
  endpoints.resolve(endpointsAt(ports.grpc));
  await patience.until("TFTP", async () => {
    const tftp = await listen(tftpListener(config), (address, port) =>
      adapters.listenTftp({
        address,
        port,
        files,
        onProblem: ({ kind, peer, error }) => {
          // Anybody on the network can send the first two.
          const level = kind === "malformed" || kind === "stray" ? "debug" : "error";
          log[level]({ err: error, kind, peer }, "TFTP has a problem");
        },
      }),
    );
    running.defer(() => tftp.close());
    ports.tftp = tftp.port;
  }).opened;

  await openNetworkServices({ config, adapters, patience, running, nodes, events });
  return {
    grpc: hostPort(config.listen, ports.grpc),
    http: hostPort(config.listen, ports.http),
    tftp: hostPort(config.listen, ports.tftp),
    socket: config.socket,
    dhcp: config.dhcp.mode,
    nfs: config.nfs.mode,
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

async function within(ms: number, work: Promise<void>, log: Logger): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      log.error({ afterMs: ms }, "the shutdown takes too long; the rest is cut off");
      resolve();
    }, ms);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
