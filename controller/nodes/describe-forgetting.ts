import { stampedSystemOf } from "./judge-stamped-system.ts";
import type { Node } from "./node.ts";

/** What the controller knows about a node besides its record. */
export interface ForgettingCircumstances {
  readonly online: boolean;
  /** Whether the catalogue has the image that the node runs or has proved. */
  readonly hasImage: boolean;
}

/**
 * What follows from forgetting a node, for whoever asks for it. Undefined where nothing does: one that does not report,
 * and of which no system is known. Always lost are name, acceptance, labels and log.
 */
export function describeForgetting(node: Node, { online, hasImage }: ForgettingCircumstances): string | undefined {
  const { name, proved } = node;
  if (!online && proved === undefined) return undefined;
  const runs = stampedSystemOf(node)?.imageName;
  const is = [
    online ? "is online" : "is not online now",
    ...(runs !== undefined && online
      ? [`runs ${runs}`]
      : proved === undefined
        ? []
        : [`has proved ${proved.imageName}`]),
  ].join(" and ");
  const loses = "Forgotten, it loses its name, acceptance, labels and log";
  const back = online
    ? "its agent registers again within seconds, as a new node"
    : "it is discovered as a new node when it is switched on";
  return `${name} ${is}. ${loses}; ${back}${thenBoots(online, runs, hasImage, proved)}`;
}

function thenBoots(online: boolean, runs: string | undefined, hasImage: boolean, proved: Node["proved"]): string {
  if (online && runs !== undefined && hasImage) return ", restored from its stamp: it goes on booting its own system";
  if (online && runs !== undefined) {
    return `, but ${runs} is not in the catalogue, so its next boot goes to the agent and not to its own system`;
  }
  if (proved === undefined) return ", and its next boot goes to the agent";
  if (proved.kind === "resident" && hasImage) {
    return ", comes into the agent, and is sent on into its own system if the agent finds the stamp on its card";
  }
  return (
    ", and boots into the agent: its card stays as it is, but is not booted " +
    `before you say so (controller boot NODE local --image ${proved.imageName})`
  );
}
