import type { AgentIds } from "../../proto/grpc/agent-ids.ts";
import type { AgentReport } from "./agent-port.ts";

/** One run of an agent on one boot of a node. */
export type AgentInstance = AgentIds;

/** The agent that a caller intends. Absent fields match anything: any run on that boot, in any role. */
export interface ExpectedAgent extends Partial<AgentInstance> {
  readonly bootId: string;
  readonly role?: "netboot" | "resident";
}

/** Whether the reporting agent is the intended one. If not, it may be another machine's, whose disks are not ours. */
export function isExpectedAgent({ facts, agent }: AgentReport, expected: ExpectedAgent): boolean {
  return (
    facts.bootId === expected.bootId &&
    agent.instanceId === (expected.instanceId ?? agent.instanceId) &&
    agent.role === (expected.role ?? agent.role)
  );
}
