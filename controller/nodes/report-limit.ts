import { remember } from "../records/remember.ts";

/** Lets through what is news, so that a board which boots in a loop, or someone who tries names, fills no log. */
export interface ReportLimit {
  /** Whether to tell of the path that the address asked for. */
  admits(address: string, path: string, at: number): boolean;
}

/** For so long the same file is no news, in milliseconds. */
const sameFileMs = 60 * 60_000;
/** Of so many files of one address is told in that time. */
const mostFiles = 20;
/** For so many addresses that is remembered; the oldest are forgotten first. */
const mostAddresses = 1000;

export function createReportLimit(): ReportLimit {
  const told = new Map<string, Map<string, number>>();
  return {
    admits(address, path, at) {
      const files = told.get(address) ?? new Map<string, number>();
      for (const [file, toldAt] of files) if (at - toldAt >= sameFileMs) files.delete(file);
      if (files.has(path) || files.size >= mostFiles) return false;
      files.set(path, at);
      remember(told, address, files, mostAddresses);
      return true;
    },
  };
}
