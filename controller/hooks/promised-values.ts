import type { GivenValues, Hook } from "./hook.ts";
import type { HookNode } from "./render-hook-call.ts";
import { selectHooks } from "./select-hooks.ts";

/** What the before-reimage hooks of a node will give: the name of the hook that gives it, by the name of what is given. */
export interface PromisedValues {
  readonly values: ReadonlyMap<string, string>;
  readonly secrets: ReadonlyMap<string, string>;
}

/** Where no hook gives anything. */
export const nothingPromised: PromisedValues = { values: new Map(), secrets: new Map() };

/** What the hooks give for a node with these labels. Of two that give the same, the later one counts. */
export function promisedValues(hooks: readonly Hook[], node: Pick<HookNode, "labels">): PromisedValues {
  const giving = selectGiving(hooks, node);
  const by = (kind: "values" | "secrets") =>
    new Map(giving.flatMap(({ name, gives }) => (gives?.[kind] ?? []).map((given) => [given, name] as const)));
  return { values: by("values"), secrets: by("secrets") };
}

/** The before-reimage hooks of a node that give something, in the order in which they run. */
export function selectGiving(hooks: readonly Hook[], { labels }: Pick<HookNode, "labels">): readonly Hook[] {
  return selectHooks(hooks, "before-reimage", labels).filter(({ gives }) => gives !== undefined);
}

/** What was given first, and what then: of the same name, the later one counts. */
export function mergeGiven(earlier: GivenValues, later: GivenValues): GivenValues {
  return {
    values: { ...earlier.values, ...later.values },
    secrets: { ...earlier.secrets, ...later.secrets },
  };
}
