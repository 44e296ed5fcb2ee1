import { inspect } from "node:util";
import fc from "fast-check";
import type { AnyFamily } from "./family.ts";

/** An input that breaks a family's property. */
export interface Finding {
  readonly family: string;
  /** As fast-check takes them. They mean this input only while the family's inputs are made as they are now. */
  readonly seed: number;
  readonly path: string;
  readonly input: unknown;
  /** What was thrown, or that nothing ended. */
  readonly error: string;
}

/** How long a finding may be made smaller, in milliseconds. */
const shrinkMs = 10_000;

/**
 * Throws inputs at a family until its time is over or one of them breaks it; that one is returned, made smaller.
 *
 * @param onInput told before each check, with the number of inputs so far
 */
export async function play(
  { name, inputs, check }: AnyFamily,
  { seed, budgetMs }: { readonly seed: number; readonly budgetMs: number },
  onInput: (count: number) => void,
): Promise<Finding | undefined> {
  let count = 0;
  let broken = false;
  const property = fc.asyncProperty(inputs, async (input) => {
    // While a finding is made smaller, its own number stays.
    onInput(broken ? count - 1 : count++);
    await check(input);
  });
  const found = await fc.check(property, {
    seed,
    numRuns: Number.MAX_SAFE_INTEGER,
    interruptAfterTimeLimit: budgetMs,
    endOnFailure: true,
  });
  if (found.counterexamplePath === null) return undefined;
  broken = true;
  const path = found.counterexamplePath;
  const smaller = await fc.check(property, { seed, path, numRuns: 1, interruptAfterTimeLimit: shrinkMs });
  const best = smaller.counterexample === null ? found : smaller;
  return {
    family: name,
    seed,
    path: best.counterexamplePath ?? path,
    input: best.counterexample?.[0],
    error: inspect(best.errorInstance).slice(0, 4_000),
  };
}

/** The input of this number, without checking it: of one whose check does not end. */
export async function inputAt({ inputs }: AnyFamily, seed: number, count: number): Promise<unknown> {
  let input: unknown;
  const property = fc.asyncProperty(inputs, async (value) => {
    input = value;
  });
  await fc.check(property, { seed, path: String(count), numRuns: 1 });
  return input;
}
