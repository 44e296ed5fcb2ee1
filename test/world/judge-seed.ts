import { type AccidentKind, type Plan, planWorld } from "./accidents.ts";
import { renderHistory } from "./history/render-history.ts";
import { play } from "./play.ts";
import { createRandom } from "./random.ts";
import { shrink } from "./shrink.ts";
import { type Finding, type Invariant, invariants } from "./validator/finding.ts";
import { judgeHistory } from "./validator/judge-history.ts";

/** What does not count yet. */
export interface Leave {
  readonly accidents: readonly AccidentKind[];
  readonly invariants: readonly Invariant[];
}

/** Plays a seed's world. Undefined if nothing is wrong with its history; else what is, for a person. */
export async function judgeSeed(seed: number, leave: Leave): Promise<string | undefined> {
  const plan = planWorld(seed, createRandom(seed).fork("plan"), leave.accidents);
  const [first] = await findingsOf(plan, leave);
  if (first === undefined) return undefined;
  const smallest = await shrink(plan, async (smaller) =>
    (await findingsOf(smaller, leave)).some(({ invariant }) => invariant === first.invariant),
  );
  const history = await play(smallest);
  const findings = judgeHistory(history).map(renderFinding);
  return [
    `seed ${seed} breaks ${first.invariant}: ${invariants[first.invariant]}`,
    ...findings,
    `replay: WORLD_SEED=${seed} npm run test:one -- world`,
    "what happens in it, without what it takes not:",
    JSON.stringify(smallest, null, 1),
    renderHistory(history),
  ].join("\n");
}

export async function findingsOf(plan: Plan, leave: Leave): Promise<readonly Finding[]> {
  return judgeHistory(await play(plan)).filter(({ invariant }) => !leave.invariants.includes(invariant));
}

function renderFinding({ invariant, text, at }: Finding): string {
  return `  ${invariant} at ${Math.round(at / 1000)} s: ${text}`;
}
