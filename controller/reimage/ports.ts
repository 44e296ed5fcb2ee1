import type { BlockDevice } from "../../proto/disk/block-device.ts";
import { Failure } from "../../proto/failure.ts";
import type { ImageDigest } from "../../proto/pack/digest.ts";
import type { NewEvent } from "../events/event.ts";
import type { Image } from "../images/image.ts";
import type { AgentInfo, BootTarget, Node, NodeFacts, NodeId } from "../nodes/node.ts";
import type { AgentOperation, OperationId, OperationSpec } from "./agent-operation.ts";
import type { ReimageState, RolloutRecord } from "./reimage-state.ts";
import type { RolloutId } from "./rollout.ts";

/** A node changed. `node` is the node after the change. */
export interface NodeChange {
  readonly node: Node;
  /** What reimages listen for are "registered", "heartbeat" and "boot-file-fetched"; others are ignored here. */
  readonly cause: string;
}

/** The nodes, as reimages need them; controller/nodes/node-registry.ts fulfils it. Everything is durable on return. */
export interface NodePort {
  list(): readonly Node[];
  get(id: NodeId): Node | undefined;
  /** By name, MAC address in any usual notation, or serial number. */
  find(nameOrMacOrSerial: string): Node | undefined;
  /** Whether its agent is heard from. */
  isOnline(node: Node): boolean;
  /** What the node proved holds no longer; durable when it returns. */
  voidProof(id: NodeId): unknown;
  /** Durable when it returns: a reboot may follow at once. */
  setBootTarget(id: NodeId, target: BootTarget): unknown;
  setProved(id: NodeId, proved: NonNullable<Node["proved"]>): unknown;
  /** Calls the listener after every change; the returned function ends that. */
  onChange(listener: (change: NodeChange) => void): () => void;
}

/** The images, as reimages need them; controller/images/image-store.ts fulfils it. */
export interface ImagePort {
  list(): Promise<readonly Image[]>;
  get(name: string): Promise<Image | undefined>;
  getByDigest(digest: ImageDigest): Promise<Image | undefined>;
}

/** Why a call to an agent did not succeed. */
export type AgentErrorKind =
  /** Nobody answered at that address, or the connection broke. Nothing is known about what the agent did. */
  | "unreachable"
  /** The agent did not answer in time. Nothing is known about what it did. */
  | "timed-out"
  /** The agent does not know the operation. */
  | "not-found"
  /** The agent understood and will not: guard, role, busy device, another boot id, malformed request. */
  | "refused"
  /** The caller's signal was aborted. */
  | "aborted"
  /** Anything else. */
  | "failed";

/** A failed call to an agent: the agent's own failure where it sent one, and the kind for decisions. */
export class AgentError extends Failure {
  readonly kind: AgentErrorKind;

  constructor(kind: AgentErrorKind, failure: Failure, cause: unknown) {
    super(failure.reason, failure.message, { ...failure.evidence, cause });
    this.name = "AgentError";
    this.kind = kind;
  }
}

/** One node's agent. Every method rejects with AgentError. */
export interface AgentPort {
  getNode(signal?: AbortSignal): Promise<{ readonly facts: NodeFacts; readonly agent: AgentInfo }>;
  listBlockDevices(signal?: AbortSignal): Promise<readonly BlockDevice[]>;
  /** With the id and spec of an operation that exists already it changes nothing and returns that one. */
  startOperation(id: OperationId, spec: OperationSpec, signal?: AbortSignal): Promise<AgentOperation>;
  /** The operation now and at every change until it has ended; the last item is the ended one. */
  watchOperation(id: OperationId, signal?: AbortSignal): AsyncIterable<AgentOperation>;
  /** Resolves with the ended operation. */
  cancelOperation(id: OperationId, signal?: AbortSignal): Promise<AgentOperation>;
  /** Resolves when the agent has accepted; refused when `expectedBootId` is not the node's current one. */
  reboot(expectedBootId: string, signal?: AbortSignal): Promise<void>;
  /** Gives the connection back; running calls are aborted. */
  close(): void;
}

/** Where an agent serves. */
export interface AgentAddress {
  /** IP address. */
  readonly address: string;
  /** TCP port. */
  readonly port: number;
}

/** Reaches agents; controller/rpc/agent-client.ts fulfils it. */
export interface AgentConnector {
  /** Never fails by itself: the first call shows whether somebody answers. The caller closes the port after use. */
  connect(address: AgentAddress): AgentPort;
}

/**
 * Tries once whether anything at a node's address takes part in TCP, and says how it did; undefined when nothing does or
 * when it is known to be another machine. controller/nodes/probe-node.ts fulfils it. Never rejects.
 */
export type NodeProbe = (
  node: { readonly address: string; readonly mac: NodeId },
  signal: AbortSignal,
) => Promise<string | undefined>;

/** A rollout with its reimages, as the journal holds it. Plain data that survives JSON. */
export interface JournalEntry {
  readonly rollout: RolloutRecord;
  readonly reimages: readonly ReimageState[];
}

/**
 * Remembers rollouts over a restart of the controller. Every write is atomic and durable when it returns, because
 * effects on nodes follow at once.
 */
export interface Journal {
  /** Saves a new rollout with all its reimages in one transaction. */
  create(entry: JournalEntry): void;
  /** Replaces the record of an existing rollout (by `id`). */
  saveRollout(rollout: RolloutRecord): void;
  /** Replaces the state of an existing reimage (by `id`; it belongs to the rollout `rolloutId`). */
  saveReimage(reimage: ReimageState): void;
  get(id: RolloutId): JournalEntry | undefined;
  /** Newest first. */
  list(): readonly JournalEntry[];
  /** Those whose rollout has no `endedAt`: work that has to be taken up again. */
  unended(): readonly JournalEntry[];
}

/** Where events go; controller/events/event-log.ts fulfils it. */
export interface EventPort {
  append(event: NewEvent): unknown;
}

/** Where failures go that no caller waits for; a pino logger fulfils it. */
export interface LogPort {
  error(details: object, message: string): void;
  warn(details: object, message: string): void;
}
