import type { AgentServiceClient } from "../../../proto/gen/pallet/v1/agent.ts";
import type { Program } from "../processes.ts";

/** An agent's process and a client of it. */
export interface AgentInWorld {
  readonly program: Program;
  readonly client: AgentServiceClient;
  readonly port: number;
}
