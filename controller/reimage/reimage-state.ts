import type { Digest, NodeId } from "../nodes/node.ts";
import type { OperationId, Progress } from "./agent-operation.ts";
import type { FailureRecord, Proof, ReimageId, RolloutId } from "./rollout.ts";

/** What a rollout is, apart from its reimages. Plain data. Times are milliseconds since the epoch. */
export interface RolloutRecord {
  readonly id: RolloutId;
  readonly imageName: string;
  readonly imageDigest: Digest;
  /** The request in a canonical form: the same id with another request is another rollout. */
  readonly request: string;
  readonly cancelled: boolean;
  readonly startedAt: number;
  /** Set once every reimage has ended and its last effects are done. */
  readonly endedAt?: number;
}

/** Identifies one run of an agent on one boot of a node. */
export interface AgentInstance {
  readonly bootId: string;
  readonly instanceId: string;
}

/** What the machine knows in every phase. */
export interface ReimageBase {
  readonly id: ReimageId;
  readonly rolloutId: RolloutId;
  readonly nodeId: NodeId;
  readonly nodeName: string;
  readonly imageName: string;
  readonly imageDigest: Digest;
  /** The disk that the operator named. */
  readonly requestedDisk?: string;
  /** The disk that is written, once chosen. */
  readonly disk?: string;
  /** How often the write was started. */
  readonly attempts: number;
  /** How often the node was asked to reboot out of its installed system into the agent. */
  readonly rebootsIntoAgent: number;
  /** Boot ids of earlier boots: what still arrives from them is late and means nothing. */
  readonly pastBootIds: readonly string[];
  /** Rises with every entry into a phase; what belongs to an earlier entry is void. */
  readonly step: number;
  readonly startedAt: number;
  /** Last boot file that the node fetched since the reimage started. Not journaled by itself. */
  readonly bootStage?: { readonly path: string; readonly at: number };
  /** Last progress of the write. Not journaled by itself. */
  readonly progress?: Progress;
}

interface Timed {
  /** When this phase was entered. */
  readonly since: number;
  /** When patience ends. Moves with progress; not journaled by itself. */
  readonly deadlineAt: number;
}

/** Where one node's reimage stands, with what each phase needs. Plain data that survives JSON. */
export type ReimageState = ReimageBase &
  (
    | { readonly phase: "queued" }
    | (Timed & {
        readonly phase: "netbooting";
        /** The boot that was asked to end. */
        readonly rebootAskedOf?: string;
      })
    | (Timed & { readonly phase: "checking"; readonly agent: AgentInstance })
    | (Timed & {
        readonly phase: "writing";
        readonly agent: AgentInstance;
        readonly operationId: OperationId;
        /** Whether the agent has confirmed the start: from then on the operation is only watched. */
        readonly started: boolean;
        readonly disk: string;
      })
    | (Timed & {
        readonly phase: "cancelling";
        readonly agent: AgentInstance;
        readonly operationId: OperationId;
      })
    | (Timed & {
        readonly phase: "rebooting" | "proving";
        readonly disk: string;
        /** The boot that has to end. */
        readonly previousBootId: string;
        /** How often the node came back in the netbooted agent since the boot target became local. */
        readonly returnsToAgent: number;
      })
    | (Ended & { readonly phase: "proved"; readonly disk: string; readonly proof: Proof })
    | (Ended & { readonly phase: "failed" | "cancelled"; readonly failure: FailureRecord })
  );

interface Ended {
  readonly endedAt: number;
  /** Whether the last effects (boot target, proof on the node) are done. */
  readonly settled: boolean;
}
