import { dirname, isAbsolute, join, normalize } from "node:path";
import { isTemplate } from "./is-template.ts";
import type { Located, Place, Problem } from "./located.ts";
import type { Shape } from "./shape.ts";

/** A file that a profile names. */
export interface Reference {
  readonly place: Place;
  /** Absolute. */
  readonly path: string;
  /** Whether nobody but its owner may read it. */
  readonly isSecret: boolean;
  /** Whether it has to be a text. */
  readonly isText: boolean;
}

/** The files that a value names; those whose names are templates yet are left out. */
export function selectReferences(
  value: Located,
  shape: Shape,
): { readonly references: readonly Reference[]; readonly problems: readonly Problem[] } {
  const references: Reference[] = [];
  const problems: Problem[] = [];
  const visit = (each: Located, of: Shape): void => {
    if (of.kind === "map" && each.kind === "map")
      for (const [name, entry] of each.entries) {
        const field = Object.hasOwn(of.fields, name) ? of.fields[name] : undefined;
        if (field !== undefined) visit(entry, field);
      }
    if (of.kind === "record" && each.kind === "map") for (const entry of each.entries.values()) visit(entry, of.of);
    if (of.kind === "list" && each.kind === "list") for (const item of each.items) visit(item, of.of);
    if (of.kind !== "text" || of.names === undefined || each.kind !== "scalar" || isTemplate(each)) return;
    const path = referencedPath(each);
    if (path === undefined) problems.push({ place: each.place, problem: outside });
    else
      references.push({ place: each.place, path, isSecret: of.names === "secret-file", isText: of.isBytes !== true });
  };
  visit(value, shape);
  return { references, problems };
}

const outside = 'a file is named by its path from the profile\'s folder, without ".." and not beginning with "/"';

/** The path of a file that a value names, which never leads out of the profile's folder; undefined for any other. */
export function referencedPath(value: Located | undefined): string | undefined {
  if (value?.kind !== "scalar" || typeof value.value !== "string") return undefined;
  const { value: text } = value;
  const isInside = text !== "" && !text.includes("\0") && !isAbsolute(text) && !text.split("/").includes("..");
  return isInside ? join(dirname(value.place.file), normalize(text)) : undefined;
}
