import { type FoundEntry, type OsProblem, pathOf } from "../os-list/os-list.ts";

/** An image in a list of Raspberry Pi Imager as `--json` shows it. */
export interface OsEntryView {
  readonly name: string;
  /** Its name behind those of the entries that it is in. */
  readonly path: string;
  readonly description: string;
  readonly url: string;
  readonly downloadBytes: number | null;
  readonly downloadSha256: string | null;
  readonly extractBytes: number | null;
  readonly extractSha256: string | null;
  readonly bmapUrl: string | null;
  readonly devices: readonly string[];
  readonly initFormat: string | null;
  readonly releaseDate: string | null;
}

/** The view of an entry. */
export function viewEntry(entry: FoundEntry): OsEntryView {
  return {
    ...{ name: entry.name, path: pathOf(entry), description: entry.description, url: entry.url },
    downloadBytes: entry.downloadBytes ?? null,
    downloadSha256: entry.downloadSha256 ?? null,
    extractBytes: entry.extractBytes ?? null,
    extractSha256: entry.extractSha256 ?? null,
    bmapUrl: entry.bmapUrl ?? null,
    devices: entry.devices,
    initFormat: entry.initFormat ?? null,
    releaseDate: entry.releaseDate ?? null,
  };
}

/** What a search came to. */
export interface SearchView {
  readonly images: readonly OsEntryView[];
  /** What was left out of the list: a sentence each. */
  readonly problems: readonly string[];
}

/** The view of a search. */
export function viewSearch(found: readonly FoundEntry[], problems: readonly OsProblem[]): SearchView {
  return { images: found.map(viewEntry), problems: problems.map(({ text }) => text) };
}
