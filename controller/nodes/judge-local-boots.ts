import type { ImageDigest } from "../../proto/pack/digest.ts";
import type { FirstBoot, Installation, Node } from "./node.ts";

/** What a node has completely fetched of a boot. */
export interface LoadedBoot {
  readonly label: "agent" | "local";
  /** Set when its command line had words for the image's first boot: where that stands now. */
  readonly firstBoot?: FirstBoot;
}

/**
 * After so many boots from the card without a word of the system's resident agent, the next one goes to the agent. A
 * first boot reboots once or twice before its services run, and a node whose power comes and goes may be cut off
 * several times: the detour does it no harm, and it ends by itself.
 */
export const localBootsBeforeLook = 3;

/**
 * So many silent boots within this time, after a look at the card, are a loop, and the node is kept in the agent. Slower
 * ones are not: somebody who has stopped the resident agent of a system that is otherwise well, and restarts it now and
 * then, only takes the detour each time.
 */
const loopMs = 30 * 60_000;

/**
 * Whether a node's next boot goes to the agent although its target is local, so that somebody looks by which ids the
 * root on its card is found now. Only systems with a resident agent are missed: nothing is ever heard of others, so
 * that their silence means nothing.
 */
export function wantsLook({ bootTarget, installation }: Pick<Node, "bootTarget" | "installation">): boolean {
  return (
    bootTarget.kind === "local" &&
    installation?.resident === true &&
    installation.imageDigest === bootTarget.imageDigest &&
    (installation.localBoots ?? 0) >= localBootsBeforeLook
  );
}

/** How many boots of the image's own first boot a card has had since it was written; undefined when none is to come. */
export function firstBootsDone({
  bootTarget,
  installation,
}: Pick<Node, "bootTarget" | "installation">): 0 | 1 | undefined {
  if (bootTarget.kind !== "local" || installation?.imageDigest !== bootTarget.imageDigest) return undefined;
  if (installation.firstBoot === "due") return 0;
  return installation.firstBoot === "half-done" ? 1 : undefined;
}

/**
 * What is known of the card once a node has fetched all that its boot loads: from then on the image's first boot has
 * had its chance, the silence of a system counts, and a detour to the agent is over, whatever comes of it.
 */
export function installationAfterLoad(
  node: Pick<Node, "bootTarget" | "installation">,
  boot: LoadedBoot,
  at: number,
): Installation | undefined {
  const { bootTarget, installation } = node;
  if (installation === undefined || bootTarget.kind !== "local") return installation;
  if (boot.label === "agent") return wantsLook(node) ? sentToLook(installation, at) : installation;
  if (installation.imageDigest !== bootTarget.imageDigest) return installation;
  const { lookDue: _, loopsAgain: __, ...rest } = installation;
  const before = installation.localBoots ?? 0;
  const localBoots = Math.min(before + 1, localBootsBeforeLook);
  return {
    ...rest,
    ...(before === 0 && { localBootsSince: at }),
    localBoots,
    ...(boot.firstBoot !== undefined && { firstBoot: boot.firstBoot }),
  };
}

/**
 * What is known of the card once a boot from it was given up before its kernel was there: a transfer that died, or a
 * kernel that cannot be loaded. It is silent, too, and the agent's kernel may come through where the image's does not;
 * but it says nothing against the system, so that a rack that chokes on its own start keeps no node in the agent.
 */
export function installationAfterFailedLoad(node: Pick<Node, "bootTarget" | "installation">): Installation | undefined {
  const { bootTarget, installation } = node;
  if (installation?.resident !== true || bootTarget.kind !== "local") return installation;
  if (installation.imageDigest !== bootTarget.imageDigest) return installation;
  const { localBootsSince: _, ...rest } = installation;
  return { ...rest, localBoots: Math.min((installation.localBoots ?? 0) + 1, localBootsBeforeLook) };
}

function sentToLook({ localBootsSince, ...installation }: Installation, at: number): Installation {
  const isQuick = localBootsSince !== undefined && at >= localBootsSince && at - localBootsSince <= loopMs;
  const loopsAgain = installation.looked === true && isQuick;
  return { ...installation, localBoots: 0, lookDue: true, looked: true, ...(loopsAgain && { loopsAgain }) };
}

/** What is known of the card once an agent of the node was heard, in whatever system. */
export function installationAfterSign(
  installation: Installation | undefined,
  role: "netboot" | "resident",
): Installation | undefined {
  if (installation === undefined) return undefined;
  const { lookDue, looked, loopsAgain, ...rest } = withoutCounts(installation);
  if (role === "resident") return rest;
  return {
    ...rest,
    ...(lookDue === true && { lookDue }),
    ...(looked === true && { looked }),
    ...(loopsAgain === true && { loopsAgain }),
  };
}

/** What is known of the card once it was said that the node's next boots go there: they are counted anew. */
export function installationToBoot(installation: Installation, imageDigest: ImageDigest): Installation {
  const { lookDue: _, looked: __, loopsAgain: ___, erased, ...rest } = withoutCounts(installation);
  // Only after its write, or at the word of somebody who knows, does a node boot what a reimage has erased it for.
  const isErased = erased === true && installation.imageDigest !== imageDigest;
  return { ...rest, ...(isErased && { erased }) };
}

function withoutCounts({ localBoots: _, localBootsSince: __, ...installation }: Installation): Installation {
  return installation;
}
