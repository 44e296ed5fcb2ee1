/** A value that a shell offers, and what it says about it; empty for nothing. */
export interface Candidate {
  readonly value: string;
  readonly about: string;
}

/** What of a node makes its labels. */
interface Labelled {
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * The labels that nodes have, for the last of those that were typed, which commas join: the ones before it stay.
 *
 * @param typed what stands on the command line so far: "rack=a,sh"
 */
export function labelCandidates(nodes: readonly Labelled[], typed: string): readonly Candidate[] {
  const kept = typed.slice(0, typed.lastIndexOf(",") + 1);
  const counts = new Map<string, number>();
  for (const { labels } of nodes)
    for (const [key, value] of Object.entries(labels)) {
      const pair = value === "" ? key : `${key}=${value}`;
      counts.set(pair, (counts.get(pair) ?? 0) + 1);
    }
  return [...counts]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([pair, count]) => ({ value: `${kept}${pair}`, about: count === 1 ? "1 node" : `${count} nodes` }));
}

/** Candidates as scripts read them: one a line, what it says about itself behind a tab. */
export function renderCandidates(candidates: readonly Candidate[]): readonly string[] {
  return candidates.map(({ value, about }) => (about === "" ? value : `${value}\t${about}`));
}
