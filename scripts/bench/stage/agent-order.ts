import type { OperationSpec } from "../../../proto/operation/operation-spec.ts";
import type { Progress } from "../../../proto/operation/progress.ts";

/** One operation for one agent. */
export interface AgentOrder {
  readonly address: string;
  readonly port: number;
  readonly spec: OperationSpec;
  /** The cpu.stat file of the agent's control group. */
  readonly cpuStat: string;
}

/** An operation has entered a phase: "asked" before it is started, the state when it has ended. */
export interface PhaseChange {
  /** Position of the order. */
  readonly agent: number;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  /** CPU seconds of the agent and its children since it was started. */
  readonly cpuSeconds: number;
  readonly phase: string;
  /** Only when it has ended. */
  readonly progress?: Progress;
}
