import type { NodeId } from "../../proto/names/node-id.ts";
import type { AgentInfo } from "../../proto/node/agent-info.ts";
import type { LogLevel } from "../../proto/words/log-level.ts";

/** One record as an agent hands it over, checked; see pallet.v1.LogRecord. */
export interface ReportedRecord {
  /** Counts the records of one instance of the agent from 1; what is missing was lost. */
  readonly sequence: number;
  /** When it was written by the clock of the node: milliseconds since the epoch, perhaps years off. */
  readonly nodeTime: number;
  /** How long before it was handed over it was written, in milliseconds. */
  readonly ageMs: number;
  readonly level: LogLevel;
  /** One line. */
  readonly message: string;
  /** Text of a JSON object without control characters. */
  readonly fields?: string;
  /** Lines: the stack of an error. */
  readonly error?: string;
}

/** A batch of the log of one agent. */
export interface LogReport {
  readonly id: NodeId;
  readonly instanceId: string;
  /** Sequence numbers rise. */
  readonly records: readonly ReportedRecord[];
  /** How many records this instance of the agent has dropped so far. */
  readonly droppedCount: number;
}

/** One record of a node's log as the controller keeps it; see pallet.v1.NodeLogRecord. */
export interface NodeLogRecord extends Omit<ReportedRecord, "ageMs"> {
  /** Rises with every record of whichever node; never reused. */
  readonly id: number;
  readonly nodeId: NodeId;
  readonly instanceId: string;
  readonly role: AgentInfo["role"];
  /** When it was written by the clock of the controller: milliseconds since the epoch. */
  readonly at: number;
  /** How many records of this instance directly before this one never arrived. */
  readonly missingBefore: number;
}

/** Which records are wanted. */
export interface NodeLogFilter {
  readonly nodeId?: NodeId;
  /** Those of one of these nodes. */
  readonly nodeIds?: readonly NodeId[];
  readonly minLevel?: LogLevel;
}
