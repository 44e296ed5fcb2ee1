import { printable } from "./printable.ts";

const mostNamed = 8;

/** The names of things, for a person; of many the first, and how many more there are. What programs read has them all. */
export function renderSomeNames(names: readonly string[]): string {
  const shown = names.slice(0, mostNamed).map(printable).join(", ");
  // One more name is no longer than to say that there is one.
  if (names.length <= mostNamed + 1) return names.map(printable).join(", ");
  return `${shown} and ${names.length - mostNamed} more`;
}
