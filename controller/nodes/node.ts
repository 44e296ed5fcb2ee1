import type { NodeId } from "../../proto/names/node-id.ts";
import type { AgentInfo } from "../../proto/node/agent-info.ts";
import type { NodeFacts } from "../../proto/node/node-facts.ts";
import type { RootIds } from "../../proto/node/root-ids.ts";
import type { ImageDigest } from "../../proto/pack/digest.ts";
import type { ProofKind } from "../../proto/words/proof-kind.ts";
import type { BootRun } from "./judge-boots.ts";

/** Where a node's next boot goes. */
export type BootTarget = { readonly kind: "agent" } | { readonly kind: "local"; readonly imageDigest: ImageDigest };

/** Whether an image's own first boot has had its chance; "half-done": the first of two boots that it takes. */
export type FirstBoot = "due" | "half-done" | "done";

/** What may be known of the config that profiles gave to a system. Plain data. */
export interface InstalledConfig {
  /** HMAC-SHA256 of the config by a key of the controller's, 64 hexadecimal digits. */
  readonly digest: string;
  /** Names of the profiles, in the order in which they were merged; none where only the stamp tells of the config. */
  readonly profiles: readonly string[];
  /** Absent if the image's stayed. */
  readonly hostname?: string;
  /** The only user whom the system lets in by a key; absent if there is none, or more than one. */
  readonly loginUser?: string;
  /** Public host keys of its SSH server, as "ssh-ed25519 AAAA…"; absent before the write has ended, and if it has none of its own. */
  readonly hostKeys?: readonly string[];
}

/** What a reimage put on a node's card. */
export interface Installation {
  readonly imageDigest: ImageDigest;
  /** The reimage that wrote it, which its stamp names too. */
  readonly reimageId: string;
  /** The ids of its root as they were last seen on the card; absent before anybody has reported them. */
  readonly root?: RootIds;
  /** What its profiles made of the system; absent if they made nothing of it. */
  readonly config?: InstalledConfig;
  /** Whether the system has a resident agent, so that its silence means something; absent is no. */
  readonly resident?: boolean;
  /** Absent where nothing of it is known, as "done". */
  readonly firstBoot?: FirstBoot;
  /** Boots from the card whose kernel was fetched since an agent was heard last; absent is none. */
  readonly localBoots?: number;
  /** When the first of them was; absent also in records of an older Pallet. */
  readonly localBootsSince?: number;
  /** Whether an agent was sent to look at the card since its system was heard last; absent is no. */
  readonly looked?: boolean;
  /** Whether it loops again after that look, so that the node is to stay in the agent; absent is no. */
  readonly loopsAgain?: boolean;
  /** Whether the node was sent into the agent to look at its card, and nobody has yet. */
  readonly lookDue?: boolean;
  /**
   * Whether there is no system on the card: it was erased for this, or by hand, and nothing was written since. Absent is
   * no, or unknown.
   */
  readonly erased?: boolean;
}

/** A node as the controller remembers it; dates are milliseconds since the epoch. */
export interface Node {
  readonly id: NodeId;
  readonly name: string;
  readonly accepted: boolean;
  /**
   * A small number, from 1 on, that no other node has: given when it is accepted, and kept until it is forgotten. Absent of a
   * node that was never accepted.
   */
  readonly index?: number;
  readonly bootTarget: BootTarget;
  /**
   * IP address of its agent: that of the instance in `agent`, by its registration or heartbeat. Before the first
   * registration the one from which boot files were asked for.
   */
  readonly address?: string;
  /**
   * IP address that DHCP gave to its MAC address, or from which boot files were asked for in its name, since its agent
   * was last heard. Who asks need not be this node: it is where to look for it, not where it is.
   */
  readonly bootAddress?: string;
  readonly facts?: NodeFacts;
  readonly agent?: AgentInfo;
  /** Last heard from in any way. */
  readonly lastSeenAt: number;
  /** Last heard from by its agent (registration or heartbeat). */
  readonly agentSeenAt?: number;
  /**
   * Last boot file that it asked for; missing where it is not there and the node cannot do without. `served` and
   * `missing` are not remembered over a restart.
   */
  readonly bootStage?: {
    readonly path: string;
    readonly at: number;
    readonly served?: boolean;
    readonly missing?: boolean;
  };
  /** Its boots since it was last heard as what it should be; absent when it has begun none since. */
  readonly boots?: BootRun;
  readonly discoveredAt: number;
  readonly proved?: {
    readonly imageName: string;
    readonly imageDigest: ImageDigest;
    readonly kind: ProofKind;
  };
  /** What the operator says about it, by key; absent is none. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Absent before a registration with a serial number, and in records of an older Pallet until the next one. */
  readonly board?: Board;
  /** Absent before the first reimage, and in records of an older Pallet until its resident agent is heard. */
  readonly installation?: Installation;
}

/** What a record says of its board that must not pass to another one. */
export type BoardWords = Pick<Node, "name" | "accepted" | "labels" | "bootTarget" | "proved" | "installation">;

/** The board that a node's record was about, set aside while another board has its MAC address. */
export interface ReplacedBoard extends BoardWords {
  readonly serial: string;
  /** When the other board registered, in milliseconds since the epoch. */
  readonly since: number;
}

/** Which board a node is. */
export interface Board {
  /** Serial number that it last registered with. */
  readonly serial: string;
  /** Absent unless another board had this MAC address, and the operator has not said yet what this one is. */
  readonly replaced?: ReplacedBoard;
}
