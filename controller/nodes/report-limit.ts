import { remember } from "../records/remember.ts";

/** Lets only news through, so that a board in a boot loop, or someone trying names, does not fill the log. */
export interface ReportLimit {
  /** Whether to report the path that the address asked for. */
  admits(address: string, path: string, at: number): boolean;
}

/** How long the same file is not news, in milliseconds. */
const sameFileMs = 60 * 60_000;
/** How many files per address are reported in that time. */
const mostFiles = 20;
/** How many addresses are remembered; the oldest are forgotten first. */
const mostAddresses = 1000;

export function createReportLimit(): ReportLimit {
  const told = new Map<string, Map<string, number>>();
  return {
    admits(address, path, at) {
      const files = told.get(address) ?? new Map<string, number>();
      for (const [file, toldAt] of files) if (Math.abs(at - toldAt) >= sameFileMs) files.delete(file);
      if (files.has(path) || files.size >= mostFiles) return false;
      files.set(path, at);
      remember(told, address, files, mostAddresses);
      return true;
    },
  };
}
