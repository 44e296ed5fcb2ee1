// One language for everybody: what a list looks like must not depend on the locale of the machine.
const collator = new Intl.Collator("en", { numeric: true });

/**
 * Compares names as people count: digits by their value, so that pi-2 comes before pi-10. Names that differ never compare
 * as equal, so every sort by it is the same for every order of arrival.
 */
export function compareNames(one: string, other: string): number {
  const order = collator.compare(one, other);
  if (order !== 0 || one === other) return order;
  return one < other ? -1 : 1;
}

/** Sorts by name in natural order, as `compareNames`. */
export function sortedByName<Named extends { readonly name: string }>(named: readonly Named[]): Named[] {
  return named.toSorted((one, other) => compareNames(one.name, other.name));
}
