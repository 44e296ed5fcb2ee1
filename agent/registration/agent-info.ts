import type { AgentRole } from "../../proto/system/agent-program.ts";
import type { InstalledSystem } from "../../proto/system/installed-system.ts";

/** The agent process; see pallet.v1.AgentInfo. */
export interface AgentInfo {
  readonly version: string;
  readonly role: AgentRole;
  /** New with every start of the process. */
  readonly instanceId: string;
  /** TCP port on which it serves. */
  readonly port: number;
  readonly installed?: InstalledSystem;
}
