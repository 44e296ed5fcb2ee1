import { compareNames } from "../../proto/names/natural-order.ts";
import { compileGlob } from "../nodes/glob.ts";
import type { Node } from "../nodes/node.ts";
import { matchesLabels } from "../nodes/parse-label-selector.ts";
import type { Profile, ProfileMatch } from "./profile.ts";

/** What of a node decides which profiles it gets, and what their templates say. */
export type ProfiledNode = Pick<Node, "id" | "name" | "labels" | "address" | "facts" | "index">;

/**
 * The profiles that are for a node with an image, in the order in which they are merged: by priority from low to high, then
 * by name.
 */
export function chooseProfiles(
  profiles: readonly Profile[],
  node: ProfiledNode,
  imageName: string,
): readonly Profile[] {
  return profiles.filter(({ match }) => fits(match, node, imageName)).toSorted(inOrder);
}

/** The order in which profiles are merged. */
export function inOrder(one: Profile, other: Profile): number {
  return one.priority - other.priority || compareNames(one.name, other.name);
}

/** Whether a profile is for a node, whatever image it gets. */
export function isFor({ match }: Profile, node: ProfiledNode): boolean {
  const { image: _, ...anyImage } = match;
  return fits(anyImage, node, "");
}

function fits({ labels = [], name, model, image }: ProfileMatch, node: ProfiledNode, imageName: string): boolean {
  return (
    matchesLabels(node.labels ?? {}, labels) &&
    fitsPattern(name, node.name) &&
    fitsPattern(model, node.facts?.model) &&
    fitsPattern(image, imageName)
  );
}

/** What is not known fits no pattern. */
function fitsPattern(pattern: string | undefined, text: string | undefined): boolean {
  return pattern === undefined || (text !== undefined && compileGlob(pattern)(text));
}
