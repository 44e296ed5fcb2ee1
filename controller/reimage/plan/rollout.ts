import type { Evidence, FailureReason } from "../../../proto/failure.ts";
import type { NodeId } from "../../../proto/names/node-id.ts";
import type { Progress } from "../../../proto/operation/progress.ts";
import type { ImageDigest } from "../../../proto/pack/digest.ts";
import type { ConfigurationState } from "../../../proto/words/configuration-state.ts";
import type { ReimagePhase } from "../../../proto/words/reimage-phase.ts";
import type { ReimageVerdict } from "../../../proto/words/reimage-verdict.ts";
import type { RolloutState } from "../../../proto/words/rollout-state.ts";
import type { Image } from "../../images/catalogue/image.ts";
import type { ConfigSummary } from "../../profiles/node-system.ts";
import type { SeenDisk } from "./seen-disk.ts";

/** Id of a rollout: 1 to 64 characters of [A-Za-z0-9._-]. */
export type RolloutId = string & { readonly __brand: "RolloutId" };

/** Id of one node's reimage; operation ids are derived from it. */
export type ReimageId = string & { readonly __brand: "ReimageId" };

/** A `Failure` as plain data, so that it can be journaled. */
export interface FailureRecord extends Evidence {
  readonly reason: FailureReason;
  readonly message: string;
}

/** See pallet.v1.Proof and ProofKind. `provedAt` is milliseconds since the epoch. */
export type Proof =
  | {
      readonly kind: "resident";
      readonly previousBootId: string;
      readonly bootId: string;
      readonly rootDevice: string;
      readonly imageDigest: ImageDigest;
      /** Digest of the config that the system bears; absent if it has none. */
      readonly config?: string;
      readonly provedAt: number;
    }
  | {
      readonly kind: "weak";
      readonly previousBootId: string;
      readonly imageDigest: ImageDigest;
      /** The boot file that the node fetched after its reboot: the kernel of the image. */
      readonly kernelPath: string;
      /** How it answered after that. */
      readonly answer: string;
      readonly provedAt: number;
    };

/** One node's reimage as operators see it; see pallet.v1.Reimage. Times are milliseconds since the epoch. */
export interface Reimage {
  readonly id: ReimageId;
  readonly nodeId: NodeId;
  readonly nodeName: string;
  readonly phase: ReimagePhase;
  /** Why it is not its turn yet, in words; only while it is waiting. */
  readonly waitingFor?: string;
  /** What is waited for, what was last seen, and until when, in words; only while preparing, netbooting, rebooting or proving. */
  readonly waitsFor?: string;
  readonly disk?: string;
  readonly progress?: Progress;
  readonly attempts: number;
  readonly failure?: FailureRecord;
  /** What became of the card; absent while it runs, when it was proved in time, and in journals of an older Pallet. */
  readonly verdict?: ReimageVerdict;
  readonly proof?: Proof;
  /** The tasks of its system; absent before the proof, and where there are none. */
  readonly configuration?: {
    readonly state: ConfigurationState;
    readonly tasks: number;
    readonly succeeded: number;
    /** The one that runs, is next, or has failed; absent when all have succeeded. */
    readonly task?: string;
    readonly failure?: FailureRecord;
    readonly endedAt?: number;
  };
  readonly startedAt: number;
  readonly endedAt?: number;
  /** How long it took, by a clock that nobody sets; of a rollout that runs, until now. Absent when nobody knows. */
  readonly tookMs?: number;
  /** The image that the node boots again if this ends before it touches the card; absent once it has ended. */
  readonly givesBack?: ImageDigest;
  /** Whether the image stays untouched. */
  readonly noResident: boolean;
  /** Whether to rewrite everything, even what the card already has. */
  readonly full: boolean;
  /** What its profiles said when it was confirmed; absent if they said nothing. */
  readonly config?: ConfigSummary;
}

/** A reimage of one or more nodes as operators see it; see pallet.v1.Rollout. */
export interface Rollout {
  readonly id: RolloutId;
  readonly imageName: string;
  readonly imageDigest: ImageDigest;
  readonly state: RolloutState;
  /** In the order of the nodes' names. */
  readonly reimages: readonly Reimage[];
  readonly startedAt: number;
  readonly endedAt?: number;
  /** How long it took, by a clock that nobody sets; of a rollout that runs, until now. Absent when nobody knows. */
  readonly tookMs?: number;
  /** The rollout whose failed nodes it tries again. */
  readonly retryOf?: RolloutId;
}

/** What an operator asks for; see pallet.v1.RolloutRequest. */
export interface RolloutRequest {
  /** Names, MAC addresses or serial numbers. */
  readonly nodes: readonly string[];
  /** Instead of naming them: every accepted node. */
  readonly all: boolean;
  /** Absent when the catalogue holds exactly one image. */
  readonly imageName?: string;
  /** Absent to let Pallet choose the only disk that fits. */
  readonly disk?: string;
  /** Whether the image is to be left untouched: no stamp, no resident agent, a weak proof. */
  readonly noResident?: boolean;
  /** Whether to rewrite everything, even what the card already has. */
  readonly full?: boolean;
  /** Whether the profiles are left out. */
  readonly noProfiles?: boolean;
  /** Whether the root keeps its length. */
  readonly noGrow?: boolean;
  /** Where the root has to end at the latest, in bytes from the start of the card; absent for its end. */
  readonly growToBytes?: number;
  /** The image that was confirmed; absent when nothing was. */
  readonly imageDigest?: ImageDigest;
  /** What was seen of the nodes and confirmed; absent when nothing was. */
  readonly seen?: readonly SeenDisk[];
  /** Whether nodes that run the image already are left alone. */
  readonly onlyChanged?: boolean;
  /** Set to try again those nodes of a rollout that failed, with its image and its options. */
  readonly retryOf?: RolloutId;
}

/** What a reimage would do to one node; see pallet.v1.ReimagePlan. */
export interface ReimagePlan {
  readonly nodeId: NodeId;
  readonly nodeName: string;
  /** Absent while it can only be chosen once the agent runs. */
  readonly disk?: string;
  readonly diskBytes: number;
  /** What that disk holds now and would lose, one line per partition. */
  readonly erases: readonly string[];
  readonly writeBytes: number;
  /** In order, one sentence each. */
  readonly steps: readonly string[];
  readonly refusal?: FailureRecord;
  readonly note?: string;
  /** What was seen of the node. */
  readonly seen: SeenDisk;
  /** What its profiles say; absent if they say nothing, or cannot be rendered. */
  readonly config?: ConfigSummary;
  /** Why the node is left alone: it runs the image already. */
  readonly unchanged?: string;
}

/** The plan of a rollout. */
export interface RolloutPlan {
  readonly image: Image;
  readonly plans: readonly ReimagePlan[];
}
