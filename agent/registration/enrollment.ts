import type { Endpoint } from "../../proto/names/endpoint.ts";
import type { AgentInfo } from "../../proto/node/agent-info.ts";
import type { NodeFacts } from "../../proto/node/node-facts.ts";

/** The controller's answer to a registration. */
export interface Registered {
  /** The node's name. */
  readonly name: string;
  readonly heartbeatIntervalMs: number;
  /** Under which addresses the controller is reached; empty when it does not say. */
  readonly controllers: readonly Endpoint[];
}

/** What the controller knows an agent by. */
export interface Session {
  readonly bootMac: string;
  readonly instanceId: string;
}

/** The controller at its current address, as an enrolling agent sees it. */
export interface Enrollment {
  register(bootMac: string, facts: NodeFacts, agent: AgentInfo, signal: AbortSignal): Promise<Registered>;
  /** Resolves with the wait until the next one in milliseconds, or "unknown" when the agent has to register again. */
  heartbeat(
    bootMac: string,
    instanceId: string,
    temperatureCelsius: number | undefined,
    signal: AbortSignal,
  ): Promise<number | "unknown">;
}
