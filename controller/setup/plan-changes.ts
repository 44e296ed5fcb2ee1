import { type Content, digestOf, type Written } from "./content.ts";
import type { Journal } from "./journal.ts";
import type { WantedFile } from "./render-files.ts";

/** A change of one file. */
export type FileChange =
  | { readonly kind: "write"; readonly path: string; readonly content: Written; readonly about: string }
  | { readonly kind: "remove"; readonly path: string };

/** What leads from what is there to what is wanted, and the paths at which somebody else's content is in the way. */
export interface Changes {
  readonly changes: readonly FileChange[];
  readonly foreign: readonly string[];
}

type Notes = Journal["files"];

/** Whether a setup wrote what is there. */
export function isOurs(path: string, content: Content, notes: Notes): boolean {
  return notes.find((each) => each.path === path)?.digests.includes(digestOf(content)) === true;
}

/**
 * Decides what to write and what to remove: only where there is nothing, what a setup wrote itself, or what it may replace.
 *
 * @param notes what earlier setups wrote
 */
export function planChanges(
  wanted: readonly WantedFile[],
  contents: ReadonlyMap<string, Content>,
  notes: Notes,
): Changes {
  const changes: FileChange[] = [];
  const foreign: string[] = [];
  for (const { path, replaced } of notes.toReversed()) {
    if (wanted.some((each) => each.path === path)) continue;
    const found = contents.get(path) ?? { kind: "absent" };
    const former: Content = replaced === undefined ? { kind: "absent" } : { kind: "file", ...replaced };
    if (digestOf(found) === digestOf(former)) continue;
    if (!isOurs(path, found, notes)) foreign.push(path);
    else if (former.kind === "absent") changes.push({ kind: "remove", path });
    else changes.push({ kind: "write", path, content: former, about: "as it was before" });
  }
  for (const { path, content, about, over, isSeed } of wanted) {
    const found = contents.get(path) ?? { kind: "absent" };
    if (digestOf(found) === digestOf(content)) continue;
    const isFree =
      found.kind === "absent" ||
      isOurs(path, found, notes) ||
      (over !== undefined && digestOf(found) === digestOf(over));
    if (isFree) changes.push({ kind: "write", path, content, about });
    else if (isSeed !== true) foreign.push(path);
  }
  return { changes, foreign };
}

/** The same for what an undo does: everything that a setup wrote goes. */
export function planRemovals(contents: ReadonlyMap<string, Content>, notes: Notes): Changes {
  return planChanges([], contents, notes);
}
