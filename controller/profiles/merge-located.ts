import type { Located, LocatedList, LocatedMap } from "./located.ts";
import type { MapShape, Shape } from "./shape.ts";

/**
 * What two profiles say together, of which the later one wins: maps field by field; lists whose entries have names or paths
 * entry by entry, with what is new behind; everything else is replaced. A field that the later one sets to null is taken
 * back, and so are the alternatives of a field that it sets.
 */
export function mergeLocated(earlier: Located, later: Located, shape: Shape): Located {
  if (shape.kind === "map" && earlier.kind === "map" && later.kind === "map") return mergeMaps(earlier, later, shape);
  if (shape.kind === "record" && earlier.kind === "map" && later.kind === "map")
    return { ...later, entries: withoutNulls(new Map([...earlier.entries, ...later.entries])) };
  if (shape.kind === "list" && shape.by !== undefined && earlier.kind === "list" && later.kind === "list")
    return mergeLists(earlier, later, shape.of, shape.by);
  return later;
}

function mergeMaps(earlier: LocatedMap, later: LocatedMap, shape: MapShape): LocatedMap {
  const replaced = (shape.alternatives ?? []).filter((group) => group.some((name) => later.entries.has(name))).flat();
  const entries = new Map([...earlier.entries].filter(([name]) => !replaced.includes(name) || later.entries.has(name)));
  for (const [name, entry] of later.entries) {
    const before = entries.get(name);
    const of = shape.fields[name];
    entries.set(name, before === undefined || of === undefined ? entry : mergeLocated(before, entry, of));
  }
  return { ...later, entries: withoutNulls(entries) };
}

function mergeLists(earlier: LocatedList, later: LocatedList, of: Shape, by: string): LocatedList {
  const items = new Map<string, Located>();
  for (const item of [...earlier.items, ...later.items]) {
    const key = keyOf(item, by);
    const before = items.get(key);
    items.set(key, before === undefined ? item : mergeLocated(before, item, of));
  }
  return { ...later, items: [...items.values()] };
}

/** Where a list has an entry without a name, its shape is refused elsewhere. */
function keyOf(item: Located, by: string): string {
  const key = item.kind === "map" ? item.entries.get(by) : undefined;
  return key?.kind === "scalar" ? String(key.value) : "";
}

function withoutNulls(entries: ReadonlyMap<string, Located>): ReadonlyMap<string, Located> {
  return new Map([...entries].filter(([, entry]) => !(entry.kind === "scalar" && entry.value === null)));
}

/** A value without the fields that are null. */
export function withoutNothing(value: Located): Located {
  switch (value.kind) {
    case "scalar":
      return value;
    case "list":
      return { ...value, items: value.items.map(withoutNothing) };
    case "map":
      return {
        ...value,
        entries: new Map([...withoutNulls(value.entries)].map(([name, entry]) => [name, withoutNothing(entry)])),
      };
  }
}
