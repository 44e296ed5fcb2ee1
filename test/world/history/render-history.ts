import type { Entry } from "./history.ts";

/** A history for a person: one line for each entry, without what explains nothing, or is another one in each run (a key). */
export function renderHistory(history: readonly Entry[]): string {
  return history.filter(isTelling).map(renderLine).join("\n");
}

function isTelling(entry: Entry): boolean {
  return (
    entry.what !== "event" ||
    !/^(boot-config-rendered|boot-file-fetched|reimage-phase-changed|authority-made)$/.test(entry.type)
  );
}

function renderLine({ at, what, ...rest }: Entry): string {
  const minutes = Math.floor(at / 60_000);
  const seconds = ((at % 60_000) / 1000).toFixed(1).padStart(4, "0");
  const words = Object.entries(rest).map(
    ([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  return `${String(minutes).padStart(4)}:${seconds} ${what.padEnd(15)} ${words.join(" ")}`;
}
