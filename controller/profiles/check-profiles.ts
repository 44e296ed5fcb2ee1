import type { SystemConfig } from "../../proto/system/system-config.ts";
import type { ProfiledNode } from "./choose-profiles.ts";
import { findClashes } from "./find-clashes.ts";
import { type Place, type Problem, renderProblem } from "./located.ts";
import type { ProfileFolder } from "./profile-folder.ts";

/** Something that is wrong for some nodes. */
export interface NodeProblem extends Problem {
  /** Names; none if it is wrong whatever the node. */
  readonly nodes: readonly string[];
}

/** What came of a check. */
export interface ProfilesCheck {
  /** How many there are. */
  readonly profiles: number;
  /** For how many nodes they were rendered. */
  readonly nodes: number;
  readonly problems: readonly NodeProblem[];
}

/**
 * Everything that is wrong with the profiles of a folder: with their files, and, once these are right, with what they say for
 * each node and for several of them.
 *
 * @param imageNameOf name of the image that a node has, or would get
 */
export async function checkProfiles<Profiled extends ProfiledNode>(
  folder: Pick<ProfileFolder, "look" | "setOf">,
  nodes: readonly Profiled[],
  imageNameOf: (node: Profiled) => Promise<string>,
): Promise<ProfilesCheck> {
  const read = await folder.look();
  const about = { profiles: read.profiles.length };
  if (read.problems.length > 0)
    return { ...about, nodes: 0, problems: read.problems.map((problem) => ({ ...problem, nodes: [] })) };
  const set = folder.setOf(read.profiles);
  const found = new Map<string, NodeProblem>();
  const add = (problem: Problem, names: readonly string[]): void => {
    const key = renderProblem(problem);
    found.set(key, { ...problem, nodes: [...(found.get(key)?.nodes ?? []), ...names] });
  };
  const rendered: {
    readonly node: string;
    readonly config: SystemConfig;
    readonly placeOf: (field: string) => Place;
  }[] = [];
  for (const node of nodes) {
    const { system, problems, placeOf } = await set.examine(node, await imageNameOf(node));
    for (const problem of problems) add(problem, [node.name]);
    if (system !== undefined && placeOf !== undefined)
      rendered.push({ node: node.name, config: system.config, placeOf });
  }
  for (const { nodes: names, field, problem } of findClashes(rendered)) {
    const place = rendered.find(({ node }) => node === names[0])?.placeOf(field);
    if (place !== undefined) add({ place, problem }, names);
  }
  return { ...about, nodes: nodes.length, problems: [...found.values()] };
}
