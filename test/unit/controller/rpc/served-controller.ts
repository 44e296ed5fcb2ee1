import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Client, credentials, ServerCredentials, type ServiceError } from "@grpc/grpc-js";
import type { AgentPort } from "../../../../controller/agents/agent-port.ts";
import { createEventLog, type EventLog } from "../../../../controller/events/event-log.ts";
import { type ControllerIdentity, openIdentity } from "../../../../controller/identity/open-identity.ts";
import type { Image } from "../../../../controller/images/catalogue/image.ts";
import type { ImageDeriver } from "../../../../controller/images/derive/image-deriver.ts";
import { createNodeLogs, type NodeLogs } from "../../../../controller/logs/node-logs.ts";
import { createKeptAcceptRules } from "../../../../controller/nodes/kept-accept-rules.ts";
import { createNodeRegistry, type NodeRegistry } from "../../../../controller/nodes/node-registry.ts";
import { createProfileFolder } from "../../../../controller/profiles/profile-folder.ts";
import { notFound } from "../../../../controller/refusal/refusal.ts";
import type { Rollout, RolloutId } from "../../../../controller/reimage/plan/rollout.ts";
import { summariseCancel } from "../../../../controller/reimage/summarise-cancel.ts";
import type { ControllerParts, ImageCatalogue } from "../../../../controller/rpc/doors/parts.ts";
import { createGrpcServer, type GrpcServer } from "../../../../controller/rpc/grpc-server.ts";
import { openStore } from "../../../../controller/store/open-store.ts";
import type { Failure } from "../../../../proto/failure.ts";
import { ControllerServiceClient } from "../../../../proto/gen/pallet/v1/controller.ts";
import { EnrollmentServiceClient } from "../../../../proto/gen/pallet/v1/enrollment.ts";
import * as call from "../../../../proto/grpc/call.ts";
import { failureIn } from "../../../../proto/grpc/failure-metadata.ts";
import type { NodeId } from "../../../../proto/names/node-id.ts";
import { createManualClock, type ManualClock } from "../../proto/time/manual-clock.ts";

/** A real gRPC server over real nodes and events, with images, rollouts and agents that a test makes up. */
export interface ServedController {
  readonly clock: ManualClock;
  readonly nodes: NodeRegistry;
  readonly nodeLogs: NodeLogs;
  /** What was repeated of the nodes' logs in the controller's own. */
  readonly echoed: string[];
  readonly events: EventLog;
  readonly identity: ControllerIdentity;
  readonly errors: object[];
  readonly images: Map<string, Image>;
  readonly rollouts: Map<RolloutId, Rollout>;
  readonly active: Map<NodeId, RolloutId>;
  /** What the doors are given; a test may replace single functions. */
  readonly parts: {
    images: ImageCatalogue;
    derive: ImageDeriver["derive"];
    captureDisk: ControllerParts["captureDisk"];
    rollouts: ControllerParts["rollouts"];
    agent: Partial<AgentPort>;
    protectedDisks: ControllerParts["protectedDisks"];
    removeRoot: ControllerParts["roots"]["remove"];
  };
  readonly grpc: GrpcServer;
  readonly tcpPort: number;
  readonly socket: string;
  /** Over the unix socket. */
  readonly client: ControllerServiceClient;
  /** Over TCP. */
  readonly enrollment: EnrollmentServiceClient;
  close(): Promise<void>;
}

export async function serveController({ insecure = true } = {}): Promise<ServedController> {
  const folder = mkdtempSync(path.join(tmpdir(), "pallet-doors-"));
  const clock = createManualClock(Date.UTC(2026, 10, 23));
  const store = openStore(":memory:");
  const events = createEventLog({ rows: store.events, clock });
  const errors: object[] = [];
  const silent = () => undefined;
  const log = { warn: silent, debug: silent, error: (details: object) => void errors.push(details) };
  const acceptRules = createKeptAcceptRules({ rows: store.settings, configured: [], log });
  const nodes = createNodeRegistry({
    ...{ rows: store.nodes, events, clock, heartbeatIntervalMs: 10_000, log, acceptRules },
  });
  const echoed: string[] = [];
  const echo = (_: object, message: string) => void echoed.push(message);
  const nodeLogs = createNodeLogs({
    rows: store.nodeLogs,
    nodes,
    clock,
    monotonic: clock,
    log: { warn: echo, error: echo },
  });
  const images = new Map<string, Image>();
  const rollouts = new Map<RolloutId, Rollout>();
  const active = new Map<NodeId, RolloutId>();
  const missing = (): never => {
    throw new Error("the test did not expect this call");
  };
  const existing = (id: RolloutId): Rollout => {
    const rollout = rollouts.get(id);
    if (rollout === undefined) throw notFound(`there is no rollout "${id}"`);
    return rollout;
  };
  const parts: ServedController["parts"] = {
    images: {
      list: async () => [...images.values()],
      get: async (name) => images.get(name),
      getByDigest: async (digest) => [...images.values()].find((image) => image.digest === digest),
      add: missing,
      remove: async (name) => void images.delete(name),
    },
    derive: missing,
    captureDisk: missing,
    rollouts: {
      plan: missing,
      start: missing,
      list: () => [...rollouts.values()],
      async *watch(id) {
        yield existing(id);
      },
      cancel: (id) => ({ rollout: existing(id), summary: summariseCancel([], []) }),
      lastReimageOf(id) {
        for (const rollout of rollouts.values()) {
          const reimage = rollout.reimages.find(({ nodeId }) => nodeId === id);
          if (reimage !== undefined) return { rollout, reimage };
        }
        return undefined;
      },
      activeRolloutOf: (id) => active.get(id),
    },
    agent: {},
    protectedDisks: { labels: [], serials: [] },
    removeRoot: missing,
  };
  let isOpen = false;
  const identity = await openIdentity({
    folder: path.join(folder, "identity"),
    ...{ rows: store.identity, clock },
    // That there is an authority now is told before anything that a test is about.
    events: { append: (event) => (isOpen ? events.append(event) : undefined) },
    nodeOf: (id) => nodes.get(id),
  });
  isOpen = true;
  const socket = path.join(folder, "controller.sock");
  const grpc = await createGrpcServer({
    controllers: () => [
      { host: "10.0.0.1", port: 7700 },
      { host: "fd00::1", port: 7701 },
    ],
    parts: {
      nodes,
      acceptRules,
      nodeLogs,
      events,
      identity,
      profiles: createProfileFolder(path.join(folder, "profiles"), identity.configKey),
      images: parts.images,
      backups: {
        take: () => missing(),
        report: () => void events.append({ type: "backup-taken", severity: "info", message: "taken" }),
      },
      deriver: { derive: (request) => parts.derive(request) },
      captureDisk: (request) => parts.captureDisk(request),
      rollouts: parts.rollouts,
      roots: { list: async () => [], remove: (...how) => parts.removeRoot(...how) },
      protectedDisks: {
        get labels() {
          return parts.protectedDisks.labels;
        },
        get serials() {
          return parts.protectedDisks.serials;
        },
      },
      agents: { connect: () => ({ close: () => undefined, ...parts.agent }) as AgentPort },
      status: () => ({
        version: "9.9.9",
        startedAt: clock.now(),
        grpcAddress: "10.0.0.1:7700",
        insecure: false,
        waitingFor: ["DHCP: no cable"],
        httpUrl: "http://10.0.0.1:7701",
        httpsUrl: "https://10.0.0.1:7702",
        tftpAddress: "10.0.0.1:69",
        uplink: {
          bytesPerSecond: 50_000_000.4,
          capacity: { bytesPerSecond: 125_000_000, source: "link" },
          writing: 8,
          waiting: 3,
          mostWriters: undefined,
        },
      }),
    },
    heartbeatIntervalMs: 10_000,
    credentials: ServerCredentials.createInsecure(),
    socket,
    insecure,
    clock,
    log,
  });
  const tcpPort = await grpc.listenTcp("127.0.0.1", 0);
  const target = `127.0.0.1:${tcpPort}`;
  const client = new ControllerServiceClient(`unix:${socket}`, credentials.createInsecure());
  const enrollment = new EnrollmentServiceClient(target, credentials.createInsecure());
  return {
    clock,
    nodes,
    nodeLogs,
    echoed,
    events,
    identity,
    errors,
    images,
    rollouts,
    active,
    parts,
    grpc,
    tcpPort,
    socket,
    client,
    enrollment,
    async close() {
      client.close();
      enrollment.close();
      await grpc.close();
      nodes.close();
      store.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Calls a unary RPC; rejects with the ServiceError. */
export function ask<Request, Response>(
  client: Client,
  method: call.UnaryMethod<Request, Response>,
  request: Request,
): Promise<Response> {
  return call.ask(client, method, request, { timeoutMs: 60_000 });
}

/** The failure that came in the trailing metadata of an error. */
export function failureOf(error: ServiceError): Failure {
  const failure = failureIn(error);
  if (failure === undefined) throw new Error("the error came without a failure", { cause: error });
  return failure;
}
