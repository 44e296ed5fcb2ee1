import path from "node:path";
import { pino } from "pino";
import { createAdmission } from "../../controller/agents/admit-registration.ts";
import type { AgentConnector } from "../../controller/agents/agent-port.ts";
import type { BootFiles } from "../../controller/boot/boot-files.ts";
import type { Config } from "../../controller/config/config.ts";
import { parseConfigFile } from "../../controller/config/parse-config-file.ts";
import { resolveConfig } from "../../controller/config/resolve-config.ts";
import type { RunHook } from "../../controller/hooks/hook.ts";
import type { ImageStore } from "../../controller/images/image-store.ts";
import { createControllerService } from "../../controller/rpc/doors/controller-service.ts";
import { createEnrollmentService } from "../../controller/rpc/doors/enrollment-service.ts";
import { composeBootFiles } from "../../controller/serving/compose-boot-files.ts";
import { createEndpoints } from "../../controller/serving/endpoints.ts";
import { openBackups } from "../../controller/serving/open-backups.ts";
import { composeUplink, openRollouts } from "../../controller/serving/open-rollouts.ts";
import { openRoots } from "../../controller/serving/open-roots.ts";
import { openState } from "../../controller/serving/open-state.ts";
import { createPatience } from "../../controller/serving/patience.ts";
import type { ServeAdapters } from "../../controller/serving/serve-adapters.ts";
import type { Stage } from "../../controller/serving/stage.ts";
import { openStore, type Store } from "../../controller/store/open-store.ts";
import type { ControllerServiceServer } from "../../proto/gen/pallet/v1/controller.ts";
import type { EnrollmentServiceServer } from "../../proto/gen/pallet/v1/enrollment.ts";
import type { NodeId } from "../../proto/names/node-id.ts";
import type { Clock } from "../../proto/time/clock.ts";

/** One run of the controller: the parts of `serve`, composed by its own stages, without its sockets. */
export interface ControllerProcess {
  readonly files: BootFiles;
  readonly operators: ControllerServiceServer;
  readonly enrollment: EnrollmentServiceServer;
  readonly heartbeatIntervalMs: number;
  /** SIGTERM. */
  stop(): Promise<void>;
  /** SIGKILL: it does nothing any more, and writes nothing. */
  kill(): void;
}

/** What a controller has of its world. */
export interface Surroundings {
  /** State, images and boot tree; on a tmpfs. */
  readonly folder: string;
  /** Lines of its configuration besides the addresses. */
  readonly settings: string;
  readonly clock: { of(life: AbortSignal): Clock };
  /** By how much what the management machine takes for the date differs from the world's, in milliseconds. */
  aheadMs(): number;
  readonly images: ImageStore;
  agents(clock: Clock, life: AbortSignal): AgentConnector;
  macAddressOf(address: string): NodeId | undefined;
  answers(address: string, mac: NodeId): boolean;
  readonly openProfiles: ServeAdapters["openProfiles"];
  /** What runs the hooks of this run of the controller. */
  hookRunner(clock: Clock): RunHook;
  /** Between the controller and its database. */
  observe(store: Store, life: AbortSignal): Store;
}

/** The defaults, but for these settings. */
function configIn(folder: string, settings: string): Config {
  const text = `stateDirectory: state\nsocket: run/c.sock\nlisten: 10.0.0.1\ninsecure: true\n${settings}`;
  const result = resolveConfig([parseConfigFile(text, path.join(folder, "pallet.yaml"))]);
  if (!result.ok) throw new Error(result.problems.join("\n"));
  return { ...result.config, bootTree: path.join(folder, "boot"), imageDirectory: path.join(folder, "images") };
}

export async function startController(surroundings: Surroundings): Promise<ControllerProcess> {
  const { folder, settings, images } = surroundings;
  const config = configIn(folder, settings);
  const death = new AbortController();
  const life = death.signal;
  const monotonicClock = surroundings.clock.of(life);
  const clock: Clock = {
    now: () => monotonicClock.now() + surroundings.aheadMs(),
    setTimeout: monotonicClock.setTimeout,
  };
  const log = pino({ level: "silent" });
  const running = new AsyncDisposableStack();
  const unused = (): never => {
    throw new Error("the world has no such thing");
  };
  let store: Store | undefined;
  const adapters: ServeAdapters = {
    version: "world",
    configFile: "/nowhere/pallet.yaml",
    clock,
    monotonicClock,
    moment: () => ({ bootId: "world", ms: monotonicClock.now() }),
    log,
    agentConnector: () => surroundings.agents(clock, life),
    announcer: unused,
    probeNode: async ({ address, mac }) => (surroundings.answers(address, mac) ? "TCP port 22 is open" : undefined),
    runHook: surroundings.hookRunner(clock),
    keepTime: async () => ({ waiting: () => [], stop: () => undefined }),
    openStore(file) {
      store = surroundings.observe(openStore(file), life);
      return store;
    },
    openImages: async () => images,
    openProfiles: surroundings.openProfiles,
    imageDeriver: () => ({ derive: unused }),
    findProblems: async () => [],
    interfaceAddresses: () => [],
    machineRole: unused,
    linkSpeed: () => undefined,
    macAddressOf: async (address) => surroundings.macAddressOf(address),
    removeRoots: unused,
    startDnsmasq: unused,
    nfsServers: { kernel: unused, ganesha: unused },
    probeNfs: unused,
    listenTftp: unused,
    listenHttp: unused,
    listenGrpc: unused,
  };
  const endpoints = createEndpoints(config);
  endpoints.bound("grpc", config.grpcPort);
  endpoints.bound("http", config.httpPort);
  const stage: Stage = { config, adapters, endpoints, patience: createPatience({ clock, log, signal: life }), running };
  const state = await openState(stage);
  const roots = openRoots(stage, state);
  const files = composeBootFiles(stage, state, roots);
  const agents = adapters.agentConnector({ sourceAddress: () => undefined, tls: undefined });
  const meter = { watch: unused, rateOf: () => 0, totalRate: () => 0 };
  const uplink = composeUplink(stage, meter);
  const rollouts = openRollouts(stage, state, { agents, uplink });
  const caller = { kind: "anonymous" } as const;
  const host = { closing: life, ongoing: new Set<Promise<void>>(), callerOf: () => caller, log };
  return {
    files,
    heartbeatIntervalMs: config.heartbeatIntervalMs,
    operators: createControllerService(host, {
      ...state,
      roots: roots.keeper,
      backups: openBackups(stage, state),
      ...{ agents, protectedDisks: config.disks.protected, rollouts, status: unused },
    }),
    enrollment: createEnrollmentService(host, {
      ...state,
      admission: createAdmission({ ...state, agents, clock: monotonicClock, closed: life }),
      clock,
      heartbeatIntervalMs: config.heartbeatIntervalMs,
    }),
    async stop() {
      await running.disposeAsync();
      death.abort();
    },
    kill() {
      death.abort();
      store?.close();
    },
  };
}
