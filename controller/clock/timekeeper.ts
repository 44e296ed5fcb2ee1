import { messageOf } from "../../proto/failure.ts";
import type { Clock } from "../../proto/time/clock.ts";
import { every } from "../../proto/time/every.ts";
import { type ClockVerdict, describeClock, judgeClock, latestSeen, noteEveryMs, renderTime } from "./judge-clock.ts";
import type { SteadyClock } from "./steady-clock.ts";

/** Sees to it that time does not go back for this controller, whatever happens to the machine's clock. */
export interface Timekeeper {
  /** What is wrong with the machine's clock, for a person; nothing while it is believed. */
  waiting(): readonly string[];
  /** Notes the time for the next start. */
  stop(): void;
}

export interface TimekeeperOptions {
  readonly clock: SteadyClock;
  /** This machine's own. */
  readonly system: Clock;
  /** Where the time is noted, so that the next start knows it. */
  readonly file: { readonly path: string; read(): number | undefined; write(atMs: number): void };
  /** When the newest event was. */
  readonly newestEventAt: () => number | undefined;
  /** Whether something keeps the machine's clock right; asked only about one that is behind. */
  readonly isSynchronised: () => Promise<boolean>;
  readonly log: {
    info(details: object, message: string): void;
    warn(details: object, message: string): void;
  };
}

/** How often the clock is looked at, in milliseconds. */
const lookEveryMs = 60_000;

/**
 * Judges the machine's clock by what was seen before, now and each minute: one that is behind is not gone by. It is
 * believed again when it is later by then, or is synchronised; then it may be earlier.
 */
export async function keepTime(options: TimekeeperOptions): Promise<Timekeeper> {
  const { clock, system, file, isSynchronised, log } = options;
  let verdict: ClockVerdict = { kind: "believed" };
  let isNoteFailing = false;
  const problem = (): readonly string[] => {
    if (verdict.kind === "believed") return [];
    const { message, remedy } = describeClock(system.now(), clock.now(), file.path);
    return [`clock: ${message}. Remedy: ${remedy}`];
  };
  const look = async (seenMs: number | undefined): Promise<void> => {
    const before = verdict.kind;
    const evidence = { systemMs: system.now(), ...(seenMs !== undefined && { seenMs }) };
    let next = judgeClock({ ...evidence, isSynchronised: false });
    if (next.kind === "behind") next = judgeClock({ ...evidence, isSynchronised: await isSynchronised() });
    verdict = next;
    if (next.kind === before) return;
    if (next.kind === "behind") {
      clock.hold(next.fromMs);
      for (const line of problem()) log.warn({}, line);
    } else {
      clock.release();
      log.info({}, `this machine's clock is believed again: it is ${renderTime(clock.now())}`);
    }
  };
  const note = (): void => {
    try {
      file.write(clock.now());
      isNoteFailing = false;
    } catch (error) {
      // What was noted before still counts.
      if (!isNoteFailing) log.warn({ err: error }, `could not note the time in ${file.path}`);
      isNoteFailing = true;
    }
  };

  await look(latestSeen(file.read(), options.newestEventAt()));
  note();
  const stopped = new AbortController();
  let seenMs = clock.now();
  const lookAgain = (): void => {
    look(seenMs).catch((error: unknown) => log.warn({}, `could not judge this machine's clock: ${messageOf(error)}`));
    seenMs = clock.now();
  };
  every(system, lookEveryMs, lookAgain, stopped.signal);
  every(system, noteEveryMs, note, stopped.signal);
  return {
    waiting: problem,
    stop() {
      stopped.abort();
      note();
    },
  };
}
