import { messageOf } from "../../proto/failure.ts";
import type { Clock } from "../../proto/time/clock.ts";
import { every } from "../../proto/time/every.ts";
import type { EventLog } from "../events/event-log.ts";
import type { Store } from "../store/open-store.ts";

/** Whether what the controller learns reaches its disk. */
export interface StateKeeper {
  /** Why it does not, a sentence for a person; empty while it does. */
  waiting(): readonly string[];
  stop(): void;
}

/** How often to see whether a disk that took nothing does again, in milliseconds. */
const lookEveryMs = 2000;
/** How often the write-ahead log is moved into the database: so much is all that may be lost with the log's file. */
const checkpointEveryMs = 10_000;
const copyEveryMs = 60 * 60 * 1000;

/**
 * Keeps the state whole on its disk: the database's own file never misses more than the last seconds, and a copy of the
 * nodes lies beside it. Says when the disk takes nothing, once, and when it does again; until then what nodes report is
 * kept in memory, and what an operator asks is refused.
 */
export function keepState(options: {
  readonly store: Pick<Store, "trouble" | "checkpoint" | "backUp" | "lostChanges">;
  readonly events: Pick<EventLog, "append" | "catchUp">;
  /** Monotonic. */
  readonly clock: Clock;
  readonly log: {
    info(details: object, message: string): void;
    error(details: object, message: string): void;
  };
}): StateKeeper {
  const { store, events, clock, log } = options;
  const stopped = new AbortController();
  let troubleSince: number | undefined;
  let trouble: string | undefined;
  let checkpointedAt = clock.now();
  let copiedAt = Number.NEGATIVE_INFINITY;

  if (store.lostChanges > 0) {
    const message =
      `the last ${store.lostChanges} changes to the controller's state are lost: the write-ahead log of its database ` +
      '(pallet.sqlite-wal) was removed or damaged, or a copy was put in its place; look through "controller nodes" and "controller rollouts"';
    log.error({}, message);
    events.append({ type: "state-lost", severity: "error", message });
    // The copy may know what is missing here.
    copiedAt = clock.now();
  }

  function look(): void {
    const found = store.trouble();
    if (found !== undefined && trouble === undefined) {
      troubleSince = clock.now();
      log.error({}, found);
      events.append({ type: "state-unsaved", severity: "error", message: found });
    }
    if (found === undefined && trouble !== undefined) {
      const seconds = Math.round((clock.now() - (troubleSince ?? clock.now())) / 1000);
      const message = `the controller can save its state again, after ${seconds} s`;
      log.info({}, message);
      events.append({ type: "state-saved", severity: "info", message });
    }
    trouble = found;
  }

  /** What fails here is tried again, and costs nothing that was confirmed. */
  function attempt(what: string, act: () => void): boolean {
    try {
      act();
      return true;
    } catch (error) {
      if (trouble === undefined) log.error({ err: error }, `could not ${what}: ${messageOf(error)}`);
      return false;
    }
  }

  function tend(): void {
    look();
    if (trouble !== undefined) return;
    const now = clock.now();
    attempt("write the events that wait", events.catchUp);
    if (now - checkpointedAt >= checkpointEveryMs) {
      attempt("move the write-ahead log into the state database", store.checkpoint);
      checkpointedAt = now;
    }
    if (now - copiedAt >= copyEveryMs) {
      attempt("copy the nodes beside the state database", store.backUp);
      copiedAt = now;
    }
  }

  const keep = (): boolean => attempt("keep the state", tend);
  keep();
  every(clock, lookEveryMs, keep, stopped.signal);
  return {
    waiting() {
      attempt("look at the state", look);
      return trouble === undefined ? [] : [`state: ${trouble}`];
    },
    stop: () => stopped.abort(),
  };
}
