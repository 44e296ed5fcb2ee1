/** Where something stands in a profile. */
export interface Place {
  /** Absolute path of the profile's file. */
  readonly file: string;
  /** From 1; absent where the whole file is meant. */
  readonly line?: number;
  /** From 1. */
  readonly column?: number;
  /** Path of the field, for example "system.users[0].name"; empty for the whole file. */
  readonly field: string;
}

/** What is wrong with a profile: a sentence that says no secret. */
export interface Problem {
  readonly place: Place;
  readonly problem: string;
}

/** A value of a profile, with its place. */
export type Located = { readonly place: Place } & (
  | { readonly kind: "scalar"; readonly value: string | number | boolean | null }
  | { readonly kind: "list"; readonly items: readonly Located[] }
  | { readonly kind: "map"; readonly entries: ReadonlyMap<string, Located> }
);

export type LocatedList = Located & { readonly kind: "list" };
export type LocatedMap = Located & { readonly kind: "map" };

/** The field of a map; undefined where it has none. */
export function fieldOf(map: Located | undefined, name: string): Located | undefined {
  return map?.kind === "map" ? map.entries.get(name) : undefined;
}

/** The text of a field; undefined where it is no text. */
export function textOf(map: Located | undefined, name: string): string | undefined {
  const field = fieldOf(map, name);
  return field?.kind === "scalar" && typeof field.value === "string" ? field.value : undefined;
}

/** The items of a list that is a field; none where there is no such list. */
export function itemsOf(map: Located | undefined, name: string): readonly Located[] {
  const field = fieldOf(map, name);
  return field?.kind === "list" ? field.items : [];
}

/** A problem as one line: "/etc/pallet/profiles/a.yaml line 3 column 5: system.hostname: …". */
export function renderProblem({ place, problem }: Problem): string {
  const { file, line, column, field } = place;
  const where = line === undefined ? file : `${file} line ${line} column ${column ?? 1}`;
  return `${where}: ${field === "" ? "" : `${field}: `}${problem}`;
}
