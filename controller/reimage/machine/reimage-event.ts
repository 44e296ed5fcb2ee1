import type { Failure } from "../../../proto/failure.ts";
import type { OperationId } from "../../../proto/operation/operation.ts";
import type { DiskFirmware } from "../../../proto/operation/operation-spec.ts";
import type { Progress } from "../../../proto/operation/progress.ts";
import type { AgentRole } from "../../../proto/system/agent-program.ts";
import type { InstalledSystem } from "../../../proto/system/installed-system.ts";
import type { TasksReport } from "../../../proto/system/tasks/report-tasks.ts";
import type { DiskOutcome } from "../../../proto/words/disk-outcome.ts";
import type { AgentInstance } from "../../agents/agent-instance.ts";
import type { DiskIdentity } from "../plan/disk-identity.ts";
import type { BeforeReimage } from "./before.ts";
import type { EndKind } from "./reimage-state.ts";

/** An agent showed itself, by a registration or a heartbeat: what is known of it and of the boot that it runs in. */
export interface Sighting extends AgentInstance {
  readonly role: AgentRole;
  /** The board's serial number; absent or empty when its kernel cannot read it. */
  readonly serial?: string;
  /** Device of the root filesystem, for example "/dev/mmcblk0p2". */
  readonly rootDevice: string;
  /** Whole disk that holds it; empty for NFS and RAM. */
  readonly rootDisk: string;
  readonly installed?: InstalledSystem;
  /** How far the tasks of that system are; absent where it has none. */
  readonly tasks?: TasksReport;
}

/** External events of a reimage. */
export type Occurrence =
  /** Its turn has come. `hooked`: whether the node has before-reimage hooks; absent is no. */
  | { readonly type: "started"; readonly before?: BeforeReimage; readonly hooked?: boolean }
  /** Its turn to write has come. */
  | { readonly type: "write-admitted" }
  /** The controller has restarted and found this reimage in its journal. */
  | { readonly type: "resumed" }
  | ({ readonly type: "agent-sighted" } & Sighting)
  /** `at` in milliseconds since the epoch. */
  | {
      readonly type: "boot-file-fetched";
      readonly path: string;
      readonly at: number;
      /** Whether it was there and went over completely. */
      readonly served?: boolean;
      /** Where the image's own first boot stands; absent when none of its boots was loaded yet. */
      readonly firstBoot?: "half-done" | "done";
    }
  /** The node got an address by DHCP; `at` in milliseconds since the epoch. */
  | { readonly type: "address-leased"; readonly at: number }
  | { readonly type: "cancel-requested" };

/** Results of effects. */
export type Answer =
  /** Every before-reimage hook has succeeded. */
  | { readonly type: "hooks-passed" }
  /** One of them has failed, and those after it were not run. */
  | { readonly type: "hooks-refused"; readonly failure: Failure }
  /** An agent that was taken for gone has answered at its address, as this boot and this run. */
  | { readonly type: "agent-confirmed"; readonly sighting: Sighting }
  /** The disk may be erased, says the agent that really answered. */
  | {
      readonly type: "preflight-passed";
      readonly agent: AgentInstance;
      readonly disk: string;
      readonly identity: DiskIdentity;
      /** What to do about the image's firmware for this board. */
      readonly diskFirmware?: DiskFirmware;
    }
  | { readonly type: "preflight-refused"; readonly failure: Failure }
  /**
   * Nobody, or another boot than the expected one, answered. `unasked`: so the start of the write was not even sent.
   */
  | { readonly type: "agent-unreachable"; readonly failure: Failure; readonly unasked?: boolean }
  /** `operationId`: what writes, if that is an earlier attempt's operation, which is adopted. */
  | { readonly type: "write-started"; readonly operationId?: OperationId }
  | { readonly type: "write-progressed"; readonly progress: Progress }
  /** `growth`: what became of the growth of the root, as a clause; absent when it was not asked for. */
  | { readonly type: "write-succeeded"; readonly growth?: string }
  /** `outcome`: what became of the disk; absent when the agent is older than that, or does not know. */
  | { readonly type: "write-failed"; readonly failure: Failure; readonly outcome?: DiskOutcome }
  /** The operation ended as cancelled. */
  | { readonly type: "write-cancelled"; readonly outcome?: DiskOutcome }
  /** The agent does not know the operation: it has restarted. */
  | {
      readonly type: "write-lost";
      /** Whether the agent, which was asked to cancel it, refuses it from now on. */
      readonly isRefusedNow?: boolean;
    }
  | { readonly type: "reboot-accepted" }
  | { readonly type: "reboot-refused"; readonly failure: Failure }
  | { readonly type: "reboot-unreachable"; readonly failure: Failure }
  /** Something at the node's address takes part in TCP; `how` says what it did. */
  | { readonly type: "node-answered"; readonly how: string }
  | { readonly type: "deadline-passed" }
  | { readonly type: "retry-due" }
  /** Carrying out an effect failed in the controller itself. */
  | { readonly type: "effect-failed"; readonly failure: Failure }
  /** The last effects of an end are done. */
  | { readonly type: "settled"; readonly of: EndKind };

/** Everything that a reimage reacts to. An answer names the step whose effect it answers. */
export type ReimageEvent = Occurrence | (Answer & { readonly step: number });

export type ReimageEventType = ReimageEvent["type"];

/** The event of that type, with its fields. */
export type ReimageEventOf<Type extends ReimageEventType> = Extract<ReimageEvent, { readonly type: Type }>;
