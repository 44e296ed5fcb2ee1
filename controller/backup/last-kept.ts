import * as z from "zod";

const schema = z.object({
  at: z.number(),
  path: z.string(),
  isRegular: z.boolean(),
  failure: z.object({ at: z.number(), why: z.string() }).exactOptional(),
});

/** The last backup of which somebody said that it is kept. */
export interface LastKept {
  /** Milliseconds since the epoch; where none is kept yet, when the first regular one was to be taken. */
  readonly at: number;
  /** Where, as whoever took it named it; empty where none is kept yet. */
  readonly path: string;
  /** Whether others were to follow it, each day. */
  readonly isRegular: boolean;
  /** Why one failed since then. */
  readonly failure?: { readonly at: number; readonly why: string };
}

/** A night, and some hours in which the machine may have been off. */
const overdueAfterMs = 36 * 3_600_000;

/** Reads what was noted; undefined where nothing was, or nothing that this Pallet understands. */
export function parseLastKept(text: string | undefined): LastKept | undefined {
  try {
    return text === undefined ? undefined : schema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** What is to be told when regular backups have stopped to come; undefined while they come, and where none were asked for. */
export function describeOverdue(last: LastKept | undefined, now: number): string | undefined {
  if (last === undefined || !last.isRegular || now - last.at < overdueAfterMs) return undefined;
  const hours = Math.floor((now - last.at) / 3_600_000);
  const why = last.failure === undefined ? "" : `; the last try failed: ${last.failure.why}`;
  const since =
    last.path === "" ? `none was kept in ${hours} hours` : `the last one is ${hours} hours old (${last.path})`;
  return `backup: ${since}${why}; look at: systemctl status pallet-backup.service pallet-backup.timer`;
}
