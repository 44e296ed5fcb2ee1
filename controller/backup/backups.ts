import { randomUUID } from "node:crypto";
import { messageOf } from "../../proto/failure.ts";
import { limits } from "../../proto/limits.ts";
import type { Clock } from "../../proto/time/clock.ts";
import type { EventLog } from "../events/event-log.ts";
import { remember } from "../records/remember.ts";
import { notFound, Refusal } from "../refusal/refusal.ts";
import type { SettingsRows } from "../store/settings-rows.ts";
import type { BackupAbout } from "./about.ts";
import { describeOverdue, type LastKept, parseLastKept } from "./last-kept.ts";

/** What is asked for. */
export interface BackupRequest {
  /** Whether the images themselves are to be in it, not only their names and digests. */
  readonly withImages: boolean;
  /** Whether it is one of those that are taken again and again: when the next one does not come, that is told. */
  readonly regular: boolean;
}

/** A backup that is being taken. */
export interface OpenBackup {
  readonly about: BackupAbout;
  /** To be read once, to its end. */
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Gives up what it holds on the disk. */
  close(): Promise<void>;
}

/** One that is handed out. */
export interface TakenBackup extends OpenBackup {
  readonly id: string;
}

/** What became of one, by whoever took it. */
export type BackupOutcome =
  | { readonly kind: "kept"; readonly path: string; readonly sizeBytes: number }
  | { readonly kind: "failed"; readonly why: string };

/** The backups of a controller that runs. */
export interface Backups {
  /**
   * The caller closes it. Rejects with a Refusal (exhausted) while another is taken, or where there is no room for a copy of the
   * database.
   */
  take(request: BackupRequest, signal: AbortSignal): Promise<TakenBackup>;
  /** Throws a Refusal (not-found) for one that was not taken here, or is reported already. */
  report(id: string, outcome: BackupOutcome): void;
  /** What somebody should know of backups, a sentence each. */
  waiting(): readonly string[];
}

/** The key in the settings under which the last backup that is kept is noted. */
const lastKey = "backup.last";

/**
 * Hands out backups, and notes what becomes of them: an event tells of each, and `waiting` when a regular one did not come.
 *
 * @param open makes a consistent copy
 */
export function createBackups(options: {
  readonly open: (request: BackupRequest, signal: AbortSignal) => Promise<OpenBackup>;
  readonly rows: Pick<SettingsRows, "get" | "set">;
  readonly events: Pick<EventLog, "append">;
  readonly clock: Pick<Clock, "now">;
}): Backups {
  const { open, rows, events, clock } = options;
  const unreported = new Map<string, BackupRequest>();
  let underWay = 0;
  let last = parseLastKept(rows.get(lastKey));

  function note(next: LastKept): void {
    last = next;
    rows.set(lastKey, JSON.stringify(next));
  }

  function failed(why: string): void {
    const message = `a backup of the controller failed: ${why}`;
    events.append({ type: "backup-failed", severity: "error", message });
    if (last !== undefined) note({ ...last, failure: { at: clock.now(), why } });
  }

  return {
    async take(request, signal) {
      if (underWay >= limits.backups.atOnce.most)
        throw new Refusal("exhausted", "a backup is being taken already: wait until it is done", { reason: "invalid" });
      underWay += 1;
      const id = randomUUID();
      // From now on one is expected every day.
      if (request.regular && last?.isRegular !== true) note({ at: clock.now(), path: "", ...last, isRegular: true });
      try {
        const { about, bytes, close } = await open(request, signal);
        remember(unreported, id, request, limits.backups.unreported.most);
        let why = "whoever took it went away before its end";
        let isWhole = false;
        const watched = async function* (): AsyncGenerator<Uint8Array> {
          try {
            yield* bytes;
            isWhole = true;
          } catch (error) {
            why = messageOf(error);
            throw error;
          }
        };
        return {
          ...{ id, about },
          bytes: watched(),
          async close() {
            if (!isWhole && unreported.delete(id)) failed(why);
            // Its copy of the database takes room until then.
            await close().finally(() => {
              underWay -= 1;
            });
          },
        };
      } catch (error) {
        underWay -= 1;
        failed(messageOf(error));
        throw error;
      }
    },

    report(id, outcome) {
      const request = unreported.get(id);
      if (request === undefined) throw notFound(`no backup ${id} was taken here that waits for word of it`);
      unreported.delete(id);
      if (outcome.kind === "failed") return failed(outcome.why);
      const { path, sizeBytes } = outcome;
      note({ at: clock.now(), path, isRegular: request.regular || last?.isRegular === true });
      const message = `a backup of the controller was taken: ${path}, ${sizeBytes} bytes${request.withImages ? ", with images" : ""}`;
      events.append({ type: "backup-taken", severity: "info", message });
    },

    waiting() {
      const overdue = describeOverdue(last, clock.now());
      return overdue === undefined ? [] : [overdue];
    },
  };
}
