import type { AgentRole } from "../system/agent-program.ts";
import type { InstalledSystem } from "../system/installed-system.ts";

/** The agent process; see pallet.v1.AgentInfo. Plain data. */
export interface AgentInfo {
  readonly version: string;
  readonly role: AgentRole;
  /** New with every start of the process. */
  readonly instanceId: string;
  /** TCP port on which it serves. */
  readonly port: number;
  readonly installed?: InstalledSystem;
}
