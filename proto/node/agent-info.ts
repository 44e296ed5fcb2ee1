import type { AgentRole } from "../system/agent-program.ts";
import type { InstalledSystem } from "../system/installed-system.ts";
import type { ResidentProgram } from "../system/judge-resident.ts";

/** The agent process; see pallet.v1.AgentInfo. Plain data. */
export interface AgentInfo {
  readonly version: string;
  readonly role: AgentRole;
  /** New with every start of the process. */
  readonly instanceId: string;
  /** TCP port on which it serves. */
  readonly port: number;
  readonly installed?: InstalledSystem;
  /** Absent when unknown: of an agent that does not report it, or a resident one that is not a single program. */
  readonly residentProgram?: ResidentProgram;
}
