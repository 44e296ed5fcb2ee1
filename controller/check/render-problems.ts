import type { Problem } from "./problem.ts";

/** A problem and its remedy in one line. */
export function renderProblem({ part, message, remedy }: Problem): string {
  return `${part}: ${message}. Remedy: ${remedy}`;
}
