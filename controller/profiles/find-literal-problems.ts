import { findConfigProblems } from "../../proto/system/config/check-config.ts";
import { buildConfig } from "./build-config.ts";
import { isTemplate } from "./is-template.ts";
import type { Located, Place, Problem } from "./located.ts";
import { valueOfField } from "./place-of-field.ts";

/**
 * What is wrong with the texts, numbers and files of one profile, whatever the node: all but its templates, and what another
 * profile may complete or take back.
 *
 * @param system of a profile; what has the wrong shape is told elsewhere
 * @param files what the files have that it names, by their absolute paths
 * @param told what is known of it to be wrong: nothing more is said of these values
 */
export function findLiteralProblems(
  system: Located,
  files: ReadonlyMap<string, Uint8Array>,
  told: readonly Problem[],
): readonly Problem[] {
  const known = new Set(told.map(({ place }) => spotOf(place)));
  const literal = withoutTemplates(system, known);
  if (literal === undefined) return [];
  return piecesOf(literal).flatMap((piece) =>
    findConfigProblems(buildConfig(piece, files).config).flatMap(({ field, problem }): Problem[] => {
      const { kind, place } = valueOfField(piece, field);
      // Of a map or a list, another profile may have the rest.
      return kind === "scalar" ? [{ place, problem }] : [];
    }),
  );
}

/** Each field by itself, and each entry of a list: what they are together, all profiles decide together. */
function piecesOf(system: Located): readonly Located[] {
  if (system.kind !== "map") return [];
  return [...system.entries].flatMap(([name, entry]): Located[] => {
    const parts = entry.kind === "list" ? entry.items.map((item) => ({ ...entry, items: [item] })) : [entry];
    return parts.map((part) => ({ ...system, entries: new Map([[name, part]]) }));
  });
}

function withoutTemplates(value: Located, known: ReadonlySet<string>): Located | undefined {
  if (isTemplate(value) || known.has(spotOf(value.place))) return undefined;
  if (value.kind === "list")
    return { ...value, items: value.items.flatMap((item) => withoutTemplates(item, known) ?? []) };
  if (value.kind === "scalar") return value;
  const entries = [...value.entries].flatMap(([name, entry]) => {
    const literal = withoutTemplates(entry, known);
    return literal === undefined ? [] : [[name, literal] as const];
  });
  return { ...value, entries: new Map(entries) };
}

function spotOf({ line, column }: Place): string {
  return `${line}:${column}`;
}
