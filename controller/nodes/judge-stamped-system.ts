import type { NodeId } from "../../proto/names/node-id.ts";
import type { FoundSystem, InstalledSystem } from "../../proto/system/installed-system.ts";
import type { Node } from "./node.ts";

/**
 * Whether a stamp on a node's card is of a reimage that what is known of the node does not know of, because that came out of a
 * backup and is older: then the stamp counts. controller/serving/supersedes.ts.
 */
export type Supersedes = (id: NodeId, installed: InstalledSystem) => boolean;

/** A system that an agent is resident in, and that a reimage installed, by the stamp that it bears. */
export interface StampedSystem extends Pick<InstalledSystem, "imageName" | "imageDigest" | "reimageId"> {
  /** The disk that its root is on. */
  readonly disk: string;
}

/**
 * What a registration says about the system that a node runs: a stamped one when its agent is resident, the root is on
 * a disk, and the system bears a stamp. Anything less proves nothing. Whether it is the one that a reimage wrote is for
 * the caller to ask, by `reimageId` and `imageDigest`.
 */
export function stampedSystemOf({ facts, agent }: Pick<Node, "facts" | "agent">): StampedSystem | undefined {
  if (agent?.role !== "resident" || agent.installed === undefined) return undefined;
  const disk = facts?.root.disk ?? "";
  if (disk === "") return undefined;
  const { imageName, imageDigest, reimageId } = agent.installed;
  return { imageName, imageDigest, reimageId, disk };
}

/** Whether the stamp of a system tells more than what is known of the node. */
function isNews({ id, installation }: Node, installed: InstalledSystem, supersedes: Supersedes | undefined): boolean {
  if (installation?.reimageId === installed.reimageId) return false;
  return supersedes?.(id, installed) ?? false;
}

/**
 * The system of a node of which nothing is known but what the system itself says: the node was forgotten, or the
 * database was lost. Undefined where anything else is known: a reimage of ours (its end says what holds), a proof, or
 * an operator's own choice of another system. In a state out of a backup, what `supersedes` counts more than these.
 */
export function unclaimedSystemOf(node: Node, supersedes?: Supersedes): StampedSystem | undefined {
  const system = stampedSystemOf(node);
  const { agent, bootTarget, installation, proved } = node;
  if (system !== undefined && agent?.installed !== undefined && isNews(node, agent.installed, supersedes))
    return system;
  if (system === undefined || proved !== undefined) return undefined;
  if (bootTarget.kind === "local" && bootTarget.imageDigest !== system.imageDigest) return undefined;
  // Only a reimage knows where the image's own first boot stands.
  if (installation?.firstBoot !== undefined) return undefined;
  if (installation?.reimageId !== system.reimageId || installation.imageDigest !== system.imageDigest) return undefined;
  return system;
}

/**
 * The system on the card of a node that sits in the agent only because nothing is known of it: the one that its agent has
 * found there, if it is the only one. Undefined where anything else is known, as above; what an operator or a reimage
 * sends into the agent has an installation or a proof. In a state out of a backup, what `supersedes` counts more than these.
 */
export function strandedSystemOf(node: Node, supersedes?: Supersedes): FoundSystem | undefined {
  const { agent, bootTarget, installation, proved } = node;
  if (agent?.role !== "netboot") return undefined;
  const [only, ...more] = agent.found ?? [];
  if (only === undefined || more.length > 0) return undefined;
  if (isNews(node, only.installed, supersedes)) return only;
  return bootTarget.kind === "agent" && installation === undefined && proved === undefined ? only : undefined;
}
