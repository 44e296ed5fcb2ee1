import { limits } from "../../proto/limits.ts";
import { checkShape } from "./check-shape.ts";
import type { LocatedMap, Problem } from "./located.ts";
import { mergeLocated, withoutNothing } from "./merge-located.ts";
import type { Profile } from "./profile.ts";
import { systemShape } from "./profile-shape.ts";
import { renderTemplates } from "./template-problems.ts";
import type { TemplateValues } from "./templates.ts";

/** What profiles say together. */
export interface RenderedProfiles {
  /** Absent where there are problems, and where they say nothing. */
  readonly system?: LocatedMap;
  readonly problems: readonly Problem[];
}

/**
 * Renders what profiles say for one node, and merges it.
 *
 * @param profiles in the order in which they are merged
 * @param mostMs how long all templates together may take, in milliseconds: nothing else runs meanwhile
 */
export function renderProfiles(
  profiles: readonly Profile[],
  values: TemplateValues,
  mostMs: number = limits.profiles.renderMs.most,
): RenderedProfiles {
  const begun = performance.now();
  const leftMs = (): number => mostMs - (performance.now() - begun);
  const rendered = profiles.flatMap(({ system }) =>
    system === undefined ? [] : [renderTemplates(system, systemShape, values, leftMs)],
  );
  const unrendered = rendered.flatMap(({ problems }) => problems);
  if (unrendered.length > 0) return { problems: unrendered };
  const [first, ...others] = rendered.map(({ value }) => value);
  if (first === undefined) return { problems: [] };
  const merged = withoutNothing(
    others.reduce((earlier, later) => mergeLocated(earlier, later, systemShape), withoutNothing(first)),
  );
  const problems = checkShape(merged, systemShape, "rendered");
  if (problems.length > 0 || merged.kind !== "map") return { problems };
  return { ...(merged.entries.size > 0 && { system: merged }), problems: [] };
}
