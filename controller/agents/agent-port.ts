import type { BlockDevice } from "../../proto/disk/block-device.ts";
import type { MeantDisk } from "../../proto/disk/meant-disk.ts";
import type { AgentIds } from "../../proto/grpc/agent-ids.ts";
import type { NodeId } from "../../proto/names/node-id.ts";
import type { AgentInfo } from "../../proto/node/agent-info.ts";
import type { BoardItem } from "../../proto/node/board-item.ts";
import type { NodeFacts } from "../../proto/node/node-facts.ts";
import type { OperationId, ReportedOperation } from "../../proto/operation/operation.ts";
import type { OperationSpec } from "../../proto/operation/operation-spec.ts";
import type { DiskReader } from "../images/capture/disk-reader.ts";

/** What an agent reports about itself and its node. */
export interface AgentReport {
  readonly facts: NodeFacts;
  readonly agent: AgentInfo;
}

/** One node's agent. Every method rejects with AgentError. */
export interface AgentPort {
  getNode(signal?: AbortSignal): Promise<AgentReport>;
  /** What its kernel tells of the board. */
  reportBoard(signal?: AbortSignal): Promise<readonly BoardItem[]>;
  listBlockDevices(signal?: AbortSignal): Promise<readonly BlockDevice[]>;
  /** With the id and spec of an existing operation it changes nothing and returns that one. */
  startOperation(id: OperationId, spec: OperationSpec, signal?: AbortSignal): Promise<ReportedOperation>;
  /** The current operation and every change until it has ended; the last item is the ended one. */
  watchOperation(id: OperationId, signal?: AbortSignal): AsyncIterable<ReportedOperation>;
  /** Resolves with the ended operation. */
  cancelOperation(id: OperationId, signal?: AbortSignal): Promise<ReportedOperation>;
  /**
   * Holds a disk to read parts of it, until the reader is closed, or the signal aborts. Reading rejects with AgentError
   * too, and with Failure "verify-mismatch" for an answer that is not what was asked for.
   */
  readDisk(disk: MeantDisk, signal: AbortSignal): Promise<DiskReader>;
  /** Resolves when the agent has accepted; refused when `expectedBootId` is not the node's current one. */
  reboot(expectedBootId: string, signal?: AbortSignal): Promise<void>;
  /** Has the tasks of its system go on from the one that has failed; refused when none has, or in another boot. */
  retryTasks(expectedBootId: string, signal?: AbortSignal): Promise<void>;
  /** Releases the connection; running calls are aborted. */
  close(): void;
}

/** Where an agent serves. */
export interface AgentAddress {
  /** IP address. */
  readonly address: string;
  /** TCP port. */
  readonly port: number;
}

/** The agent that a connection is meant for; absent fields match any. */
export interface MeantAgent extends Partial<AgentIds> {
  readonly nodeId?: NodeId;
}

/** Reaches agents; controller/rpc/agent/agent-client.ts implements it. */
export interface AgentConnector {
  /**
   * Never fails itself: the first call shows whether anything answers. The caller closes the port after use.
   *
   * All calls of a port go over one connection, so that who answered GetNode answers the others. With `meant`, nothing is
   * asked of another node's agent, and an answer of another boot or run never gets through: every call then rejects as
   * "unreachable".
   */
  connect(address: AgentAddress, meant?: MeantAgent): AgentPort;
}
