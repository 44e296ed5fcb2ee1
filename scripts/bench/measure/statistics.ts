/** The middle of some numbers, the mean of the two middle ones of an even count. Throws when there is none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  if (upper === undefined || lower === undefined) throw new Error("no values, no median");
  return (lower + upper) / 2;
}

/**
 * Medians of every figure of several runs, each figure by itself. A figure that a run lacks is left out of its median.
 */
export function medians<Name extends string>(
  runs: readonly Readonly<Partial<Record<Name, number>>>[],
): Partial<Record<Name, number>> {
  const names = new Set(runs.flatMap((run) => Object.keys(run) as Name[]));
  const entries = [...names].map((name) => {
    const values = runs.map((run) => run[name]).filter((value) => value !== undefined);
    return [name, median(values)] as const;
  });
  return Object.fromEntries(entries) as Partial<Record<Name, number>>;
}
