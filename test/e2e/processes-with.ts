import { readdirSync, readFileSync } from "node:fs";

/** Process ids, with their command lines, of everything that has this "NAME=value" in its environment. */
export function processesWith(variable: string): Map<number, string> {
  const found = new Map<number, string>();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      if (!readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").includes(variable)) continue;
      found.set(Number(pid), readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim());
    } catch {
      // It has since ended.
    }
  }
  return found;
}
