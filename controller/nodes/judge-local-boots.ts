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
): Installation | undefined {
  const { bootTarget, installation } = node;
  if (installation === undefined || bootTarget.kind !== "local") return installation;
  if (boot.label === "agent") return wantsLook(node) ? { ...installation, localBoots: 0, lookDue: true } : installation;
  if (installation.imageDigest !== bootTarget.imageDigest) return installation;
  const { lookDue: _, ...rest } = installation;
  const localBoots = Math.min((installation.localBoots ?? 0) + 1, localBootsBeforeLook);
  return { ...rest, localBoots, ...(boot.firstBoot !== undefined && { firstBoot: boot.firstBoot }) };
}

/** What is known of the card once an agent of the node was heard, in whatever system. */
export function installationAfterSign(
  installation: Installation | undefined,
  role: "netboot" | "resident",
): Installation | undefined {
  if (installation === undefined) return undefined;
  const { localBoots: _, lookDue, ...rest } = installation;
  return { ...rest, ...(role === "netboot" && lookDue === true && { lookDue }) };
}
