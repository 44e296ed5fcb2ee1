import type { NodeFacts } from "../inventory/node-facts.ts";
import type { LogRecord } from "../log/log-record.ts";
import type { AgentInfo } from "./agent-info.ts";

/** The controller's answer to a registration. */
export interface Registered {
  /** The node's name. */
  readonly name: string;
  readonly heartbeatIntervalMs: number;
}

/** What the controller knows an agent by. */
export interface Session {
  readonly bootMac: string;
  readonly instanceId: string;
}

/** Records of this agent's log, oldest first. */
export interface LogReport extends Session {
  readonly records: readonly LogRecord[];
  /** How many records were dropped so far. */
  readonly droppedCount: number;
  /** The moment of sending, by the clock that stamps records, in milliseconds. */
  readonly nowMs: number;
}

/**
 * What became of a report: taken; "unknown" when the agent has to register anew; "refused" when it will never be taken;
 * "unsupported" by a controller that takes no logs at all.
 */
export type LogReportAnswer = "taken" | "unknown" | "refused" | "unsupported";

/** The controller, as far as an agent that enrols knows it. */
export interface Enrollment {
  register(bootMac: string, facts: NodeFacts, agent: AgentInfo, signal: AbortSignal): Promise<Registered>;
  /** Resolves with the wait until the next one in milliseconds, or "unknown" when the agent has to register anew. */
  heartbeat(
    bootMac: string,
    instanceId: string,
    temperatureCelsius: number | undefined,
    signal: AbortSignal,
  ): Promise<number | "unknown">;
  /** Rejects when the controller is not reached. */
  reportLogs(report: LogReport, signal: AbortSignal): Promise<LogReportAnswer>;
}
