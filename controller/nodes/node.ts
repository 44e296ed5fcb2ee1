import type { NodeId } from "../../proto/node-id.ts";
import type { ImageDigest } from "../../proto/pack/digest.ts";
import type { AgentRole } from "../../proto/system/agent-program.ts";
import type { InstalledSystem } from "../../proto/system/installed-system.ts";

/** Where a node's next boot goes. */
export type BootTarget = { readonly kind: "agent" } | { readonly kind: "local"; readonly imageDigest: ImageDigest };

/** See pallet.v1.NodeFacts. */
export interface NodeFacts {
  readonly model: string;
  readonly serial: string;
  readonly interfaces: readonly {
    readonly name: string;
    readonly mac: string;
    readonly addresses: readonly string[];
  }[];
  readonly memoryBytes: number;
  readonly cpuCount: number;
  readonly cpuModel: string;
  readonly temperatureCelsius?: number;
  readonly kernel: string;
  readonly architecture: string;
  readonly bootId: string;
  readonly root: {
    readonly source: string;
    readonly filesystemType: string;
    readonly disk: string;
  };
  readonly hostname: string;
  readonly uptimeSeconds: number;
}

/** See pallet.v1.AgentInfo. */
export interface AgentInfo {
  readonly version: string;
  readonly role: AgentRole;
  readonly instanceId: string;
  readonly port: number;
  readonly installed?: InstalledSystem;
}

/** A node as the controller remembers it; dates are milliseconds since the epoch. */
export interface Node {
  readonly id: NodeId;
  readonly name: string;
  readonly accepted: boolean;
  readonly bootTarget: BootTarget;
  readonly address?: string;
  readonly facts?: NodeFacts;
  readonly agent?: AgentInfo;
  /** Last heard from in any way. */
  readonly lastSeenAt: number;
  /** Last heard from by its agent (registration or heartbeat). */
  readonly agentSeenAt?: number;
  /**
   * Last boot file that it asked for; missing where it is not there and the node cannot do without. `served` and `missing`
   * are not remembered over a restart.
   */
  readonly bootStage?: {
    readonly path: string;
    readonly at: number;
    readonly served?: boolean;
    readonly missing?: boolean;
  };
  readonly discoveredAt: number;
  readonly proved?: {
    readonly imageName: string;
    readonly imageDigest: ImageDigest;
    /** The proof was a weak one: see pallet.v1.ProofKind. */
    readonly weak?: true;
  };
}
