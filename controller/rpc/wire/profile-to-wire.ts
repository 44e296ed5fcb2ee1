import type * as wire from "../../../proto/gen/pallet/v1/controller.ts";
import type { NodeProblem } from "../../profiles/check-profiles.ts";
import type { Problem } from "../../profiles/located.ts";
import type { Profile } from "../../profiles/profile.ts";

/** Converts a profile. @param nodes names of those that it is for */
export function profileToWire(profile: Profile, nodes: readonly string[]): wire.Profile {
  const { name, file, priority, matchText, system } = profile;
  return { name, file, priority, match: matchText, fields: [...(system?.entries.keys() ?? [])], nodes: [...nodes] };
}

/** Converts what is wrong with a profile. */
export function problemToWire({ place, problem, nodes = [] }: Problem & Partial<NodeProblem>): wire.ProfileProblem {
  const { file, line = 0, column = 0, field } = place;
  return { file, line, column, field, problem, nodes: [...nodes] };
}
