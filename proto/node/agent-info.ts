import type { AgentRole } from "../system/agent-program.ts";
import type { FoundSystem, InstalledSystem } from "../system/installed-system.ts";
import type { ResidentProgram } from "../system/judge-resident.ts";
import type { TasksReport } from "../system/tasks/report-tasks.ts";

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
  /** The contract that it was built with; absent from older agents. */
  readonly contract?: string;
  /** See proto/operation/capabilities.ts; words of newer agents among them. Absent from agents of before they were told. */
  readonly capabilities?: readonly string[];
  /** Set when its board booted the disk by itself, without a controller's kernel words. */
  readonly bootedAlone?: true;
  /** Stamped systems on the disks of a netbooted node; absent once this agent has changed a disk, and from older ones. */
  readonly found?: readonly FoundSystem[];
  /** Of the tasks of its system; absent when it has none, and from older agents. */
  readonly tasks?: TasksReport;
}
