import path from "node:path";
import { Failure } from "../../../proto/failure.ts";
import { limits } from "../../../proto/limits.ts";
import { type Location, resolveReference, shownLocation } from "../download/location.ts";
import { type Catalogue, type FoundEntry, type OsEntry, type OsProblem, pathOf } from "./os-list.ts";
import { parseOsList } from "./parse-os-list.ts";

const mostLists = limits.downloads.lists.most;
const mostEntries = limits.downloads.listEntries.most;

/**
 * All images that a list leads to, through subitems_url, within the limits. Throws Failure if the first list cannot be
 * read; what is wrong with one that it names is a problem, and leaves out that one.
 *
 * @param read gives the content of a list; throws Failure, anything else ends the loading
 */
export async function loadCatalogue(start: Location, read: (from: Location) => Promise<string>): Promise<Catalogue> {
  const [entries, problems]: [FoundEntry[], OsProblem[]] = [[], []];
  const texts = new Map<string, string>();
  let lists = 0;
  const tellOnce = (text: string): void => {
    if (!problems.some((problem) => problem.text === text)) problems.push({ name: undefined, text });
  };

  const visit = async (list: Location, within: readonly string[], above: readonly string[]): Promise<void> => {
    const key = list.kind === "web" ? list.url.href : path.resolve(list.path);
    if (above.includes(key)) throw new Failure("invalid", "it leads back to itself");
    if (lists >= mostLists) return tellOnce(`there are more than ${mostLists} lists; the others are left out`);
    lists += 1;
    const text = texts.get(key) ?? (await read(list));
    texts.set(key, text);
    const found = parseOsList(text, within);
    problems.push(...found.problems);
    for (const item of found.items) {
      if (entries.length >= mostEntries)
        return tellOnce(`there are more than ${mostEntries} images; those after them are left out`);
      if (item.kind === "image") {
        const problem = problemOf(item.entry, list);
        if (problem === undefined) entries.push({ ...item.entry, list });
        else problems.push(problem);
        continue;
      }
      let next: Location | undefined;
      try {
        next = resolveReference(list, item.reference);
        if (isDowngrade(list, next)) throw new Failure("invalid", "a list that came by https names it by http");
        await visit(next, item.within, [...above, key]);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        const where = next === undefined ? "" : ` (${shownLocation(next)})`;
        const [name, ...outer] = item.within.toReversed();
        const shown = pathOf({ name: name ?? "", within: outer.toReversed() });
        problems.push({ name: undefined, text: `the list "${shown}"${where} is left out: ${error.message}` });
      }
    }
  };
  await visit(start, [], []);
  return { entries, problems };
}

/** What is wrong with the addresses of an image. */
function problemOf({ name, url, bmapUrl }: OsEntry, list: Location): OsProblem | undefined {
  try {
    resolveReference(list, url);
    if (bmapUrl !== undefined) resolveReference(list, bmapUrl);
    return undefined;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { name, text: `"${name}" is left out: ${error.message}` };
  }
}

/** Whether what a list vouches for would come by a way on which anybody could change it. */
export function isDowngrade(list: Location, named: Location): boolean {
  const isHttps = list.kind === "web" && list.url.protocol === "https:";
  return isHttps && !(named.kind === "web" && named.url.protocol === "https:");
}
