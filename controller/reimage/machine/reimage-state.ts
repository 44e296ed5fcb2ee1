import type { NodeId } from "../../../proto/names/node-id.ts";
import type { OperationId } from "../../../proto/operation/operation.ts";
import type { DiskFirmware } from "../../../proto/operation/operation-spec.ts";
import type { Progress } from "../../../proto/operation/progress.ts";
import type { ImageDigest } from "../../../proto/pack/digest.ts";
import type { TasksReport } from "../../../proto/system/tasks/report-tasks.ts";
import type { BootMoment } from "../../../proto/time/boot-moment.ts";
import type { ConfigurationState } from "../../../proto/words/configuration-state.ts";
import type { CardVerdict } from "../../../proto/words/reimage-verdict.ts";
import type { AgentInstance } from "../../agents/agent-instance.ts";
import type { ConfigSummary } from "../../profiles/node-system.ts";
import type { CardFit } from "../plan/describe-card-growth.ts";
import type { DiskIdentity } from "../plan/disk-identity.ts";
import type { FailureRecord, Proof, ReimageId, RolloutId } from "../plan/rollout.ts";
import type { SeenDisk } from "../plan/seen-disk.ts";
import type { BeforeReimage } from "./before.ts";

/** What a rollout is, apart from its reimages. Plain data. Times are milliseconds since the epoch. */
export interface RolloutRecord {
  readonly id: RolloutId;
  readonly imageName: string;
  readonly imageDigest: ImageDigest;
  /** The request in a canonical form: the same id with another request is another rollout. */
  readonly request: string;
  readonly cancelled: boolean;
  /** The rollout whose failed nodes this one tries again. */
  readonly retryOf?: RolloutId;
  readonly startedAt: number;
  /** The same moment by a clock that nobody sets; absent in journals of an older Pallet. */
  readonly began?: BootMoment;
  /** How long it took by that clock, once it has ended; absent when the machine has booted meanwhile. */
  readonly tookMs?: number;
  /** Set once every reimage has ended and its last effects are done. */
  readonly endedAt?: number;
}

interface Timed {
  /** When this phase was entered, in milliseconds since the epoch. */
  readonly since: number;
  /** The phase's deadline. Moves with progress; not journaled by itself. */
  readonly deadlineAt: number;
}

/** Where the tasks of a proved node stand. Plain data that survives JSON; times are milliseconds since the epoch. */
export interface Configuration {
  readonly state: ConfigurationState;
  /** As they were last reported. */
  readonly report: TasksReport;
  /** While they run: when they are given up without news. */
  readonly deadlineAt: number;
  readonly failure?: FailureRecord;
  readonly endedAt?: number;
  /** Whether what follows on their end (its hooks) is queued; absent where they have not ended, and in journals of an older Pallet. */
  readonly settled?: boolean;
}

interface Ended {
  readonly endedAt: number;
  /** Whether the last effects (boot target, proof on the node) are done. */
  readonly settled: boolean;
}

/** An end without a proof. All fields but the failure are absent in journals of an older Pallet. */
interface Unproved extends Ended {
  readonly failure: FailureRecord;
  /** What is known of the card. */
  readonly verdict?: CardVerdict;
  /** Which boot would prove the reimage after all; absent where the card cannot hold what it wrote. */
  readonly late?: { readonly disk: string; readonly previousBootId: string };
  /** Present while the node may still come up in the agent because of this reimage, and then has to leave it again. */
  readonly goingBack?: {
    /** Until when that counts as this reimage's doing, in milliseconds since the epoch. */
    readonly until: number;
    /** How many boots of the agent were asked to end. */
    readonly asked: number;
    /** The one that was asked last, and until when it is asked again. */
    readonly bootId?: string;
    readonly askUntil?: number;
    /** Whether it said that it would. */
    readonly accepted?: boolean;
  };
}

/**
 * The phases of a reimage, with what each needs. They are those of pallet.v1.ReimagePhase, and `cancelling`, which
 * operators see as "writing" until the agent has let go of the disk.
 */
export type Phase =
  | { readonly name: "queued" }
  | {
      /**
       * Its before-reimage hooks run, on the management machine. Each has a time limit of its own, so there is no deadline.
       */
      readonly name: "preparing";
      /** In milliseconds since the epoch; tells the hooks of this reimage when it was their turn, also after a restart. */
      readonly since: number;
    }
  | (Timed & {
      readonly name: "netbooting";
      /** The boot of the installed system that was asked to end. */
      readonly rebootAskedOf?: string;
      /** Whether it was seen fetching a boot file, and so was given the time of a boot from then on. */
      readonly booting: boolean;
      /** The last reason why asking failed. */
      readonly obstacle?: string;
    })
  | (Timed & {
      readonly name: "checking";
      readonly agent: AgentInstance;
      /** Whether it may write as soon as the disk is known to be the right one; absent is no. */
      readonly mayWrite?: boolean;
      /** What keeps it from continuing. */
      readonly obstacle?: string;
    })
  | {
      /** For its turn to write. However long that takes is not the node's fault, so there is no deadline. */
      readonly name: "waiting";
      /** In milliseconds since the epoch. */
      readonly since: number;
      readonly agent: AgentInstance;
    }
  | (Timed & {
      readonly name: "writing";
      readonly agent: AgentInstance;
      readonly disk: string;
      /** What is done about the image's firmware, decided once, so that every repetition of the start is equal. */
      readonly diskFirmware?: DiskFirmware;
      readonly operationId: OperationId;
      /** Whether the agent has confirmed the start: from then on the operation is only watched. */
      readonly started: boolean;
      /** Why the agent is unreachable, for as long as it is. */
      readonly obstacle?: string;
      /** Whether an unreachable node was given the time of a boot on top, since the last progress. */
      readonly graced: boolean;
      /**
       * Whether the start may have reached a run of the agent that is over by now: then no later run can say that the
       * disk is untouched. Absent is no.
       */
      readonly doubtful?: boolean;
      /** Whether the last attempt to send the start ended before it was sent. Absent is no. */
      readonly unsent?: boolean;
    })
  | (Timed & {
      readonly name: "cancelling";
      readonly agent: AgentInstance;
      readonly operationId: OperationId;
      /** False while a start that was still under way may yet arrive after the cancellation. */
      readonly started: boolean;
      /** As while writing. */
      readonly doubtful?: boolean;
    })
  | (Timed & {
      readonly name: "rebooting";
      readonly disk: string;
      /** The boot that has to end. */
      readonly previousBootId: string;
      /** How often the node came back in the netbooted agent since the boot target became local. */
      readonly returnsToAgent: number;
      /** What became of the growth of the root, as a clause; absent when it was not asked for. */
      readonly growth?: string;
      /** The last reason why asking failed. */
      readonly obstacle?: string;
    })
  | (Timed & {
      readonly name: "proving";
      readonly disk: string;
      readonly previousBootId: string;
      readonly returnsToAgent: number;
      /** When the node fetched the kernel of an untouched image; from then on its answer is waited for. */
      readonly kernelFetchedAt?: number;
    })
  | (Ended & {
      readonly name: "proved";
      readonly proof: Proof;
      /** Whether it had failed, or was cancelled, before; absent is no. */
      readonly late?: boolean;
      /** Where the tasks of its system stand; absent where it has none, and in journals of an older Pallet. */
      readonly configuration?: Configuration;
    })
  | (Unproved & { readonly name: "failed" })
  | (Unproved & { readonly name: "cancelled" });

export type PhaseName = Phase["name"];

/** The phase of that name, with its fields. */
export type PhaseOf<Name extends PhaseName> = Extract<Phase, { readonly name: Name }>;

/** Everything that is known of one node's reimage. Plain data that survives JSON. */
export interface ReimageState {
  readonly id: ReimageId;
  readonly rolloutId: RolloutId;
  readonly nodeId: NodeId;
  readonly nodeName: string;
  readonly imageName: string;
  readonly imageDigest: ImageDigest;
  /** The disk that the operator named. */
  readonly requestedDisk?: string;
  /** Set when the image is left untouched, so that no agent will prove it: what the weak proof needs to know of it. */
  readonly noResident?: {
    /** Path of the image's kernel in the boot tree. */
    readonly kernelPath: string;
  };
  /** Set to rewrite everything, even what the card already has. */
  readonly full?: boolean;
  /**
   * How the image is fitted to the card. Absent when it is left untouched, and in journals of an older Pallet: nothing
   * grows, and every id stays.
   */
  readonly card?: CardFit;
  /**
   * What its profiles said when the operator confirmed. Absent when they said nothing, and in journals of an older Pallet: the
   * system stays as the image has it. The config itself, which has secrets, is rendered anew for the write, and has to be the same.
   */
  readonly config?: ConfigSummary;
  /** What the node was when this began; absent before, and in journals of an older Pallet. */
  readonly before?: BeforeReimage;
  /** What writes that have ended left on the card; absent while none has touched it (see verdict.ts). */
  readonly holds?: CardVerdict;
  /**
   * What the operator saw of the node and confirmed. Absent when nobody did, and in journals of an older Pallet: the disk
   * that the rule chooses is taken as it is.
   */
  readonly seen?: SeenDisk;
  /** The disk that is written, once chosen. */
  readonly disk?: string;
  /** What the first preflight that passed found at that path. */
  readonly diskIdentity?: DiskIdentity;
  readonly phase: Phase;
  /** Rises with every entry into a phase; answers to effects of an earlier step are void. */
  readonly step: number;
  /** How often a write was started. */
  readonly attempts: number;
  /** How often the node was asked to leave its installed system for the agent. */
  readonly rebootsIntoAgent: number;
  /** Boot ids and agent instance ids of the past: what still arrives from them is late and means nothing. */
  readonly past: readonly string[];
  readonly startedAt: number;
  /** The same moment by a clock that nobody sets; absent in journals of an older Pallet. */
  readonly began?: BootMoment;
  /** How long it took by that clock until its latest end; absent when the machine has booted meanwhile. */
  readonly tookMs?: number;
  /** Last boot file that the node fetched since the reimage started; not journaled by itself. */
  readonly bootStage?: {
    readonly path: string;
    readonly at: number;
    /** Where the image's own first boot stood then; absent when it has none, or none of its boots was loaded yet. */
    readonly firstBoot?: "half-done" | "done";
  };
  /** When the node last got an address by DHCP since the reimage started; not journaled by itself. */
  readonly leasedAt?: number;
  /** Last progress of the write; not journaled by itself. */
  readonly progress?: Progress;
}

/** Whether nothing will happen to this reimage any more, except that its last effects may have to be done. */
export function hasEnded(phase: Phase): phase is PhaseOf<"proved" | "failed" | "cancelled"> {
  return phase.name === "proved" || phase.name === "failed" || phase.name === "cancelled";
}

/** What has ended: the reimage, or the tasks of a node that had proved it. */
export type EndKind = "end" | "tasks";

/** Whether a reimage has ended, its tasks too where they have, and everything that follows on that is done. */
export function isSettled(phase: Phase): boolean {
  if (!hasEnded(phase) || !phase.settled) return false;
  return phase.name !== "proved" || phase.configuration?.settled !== false;
}

/** Whether the reimage ever left the queue, and so did something about its node: the first step leads out of it. */
export function hasBegun({ phase, step }: ReimageState): boolean {
  return phase.name !== "queued" && !(hasEnded(phase) && step <= 1);
}

/** What of a state has to survive a restart; two states that agree in this need no second save. */
export function durablePart(state: ReimageState): unknown {
  const { progress: _progress, bootStage: _bootStage, leasedAt: _leasedAt, phase, ...rest } = state;
  return { ...rest, phase: { ...phase, deadlineAt: undefined } };
}

/** A reimage that waits for its turn. */
export function queuedReimage(
  about: Pick<
    ReimageState,
    | "id"
    | "rolloutId"
    | "nodeId"
    | "nodeName"
    | "imageName"
    | "imageDigest"
    | "requestedDisk"
    | "noResident"
    | "full"
    | "card"
    | "config"
    | "seen"
    | "startedAt"
    | "began"
  >,
): ReimageState {
  return { ...about, phase: { name: "queued" }, step: 0, attempts: 0, rebootsIntoAgent: 0, past: [] };
}
