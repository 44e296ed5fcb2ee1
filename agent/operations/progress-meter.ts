import type { OperationPhase, Progress } from "./operation.ts";

/** What an operation counts in bytes. */
export type ByteCounter = "read" | "written" | "skipped" | "verified";

/** Through this an executor tells how far it has come. */
export interface ProgressReporter {
  /** A phase begins; totals (bytes) become known and stay known. */
  enter(phase: OperationPhase, totals?: Partial<Record<ByteCounter, number>>): void;
  /** So many more bytes of a kind are done. */
  add(counter: ByteCounter, bytes: number): void;
  /** A broken connection to the source was taken up again. */
  resumed(): void;
}

/** The counter that tells how far a phase has come; phases without one have neither speed nor time to go. */
const leadingCounters: Record<OperationPhase, ByteCounter | undefined> = {
  starting: undefined,
  erasing: undefined,
  writing: "written",
  syncing: undefined,
  verifying: "verified",
  customising: undefined,
  "writing-table": undefined,
  formatting: undefined,
  wiping: undefined,
  unmounting: undefined,
  identifying: undefined,
};

/** Over how long the speed is measured, in milliseconds. */
const WINDOW_MS = 4_000;
/** Smallest distance of two remembered samples, in milliseconds; bounds the memory. */
const SAMPLE_DISTANCE_MS = 200;

interface Sample {
  readonly atMs: number;
  readonly done: number;
}

/** Counts bytes and derives speed and time to go. Knows no clock: every call is told the time in milliseconds. */
export interface ProgressMeter {
  enter(phase: OperationPhase, totals: Partial<Record<ByteCounter, number>>, nowMs: number): void;
  add(counter: ByteCounter, bytes: number, nowMs: number): void;
  resumed(): void;
  /** Never shows more than the total, however much was counted. */
  snapshot(nowMs: number): Progress;
}

/** A meter at zero, in the phase "starting". */
export function createProgressMeter(): ProgressMeter {
  const done: Record<ByteCounter, number> = { read: 0, written: 0, skipped: 0, verified: 0 };
  const totals: Record<ByteCounter, number> = { read: 0, written: 0, skipped: 0, verified: 0 };
  let phase: OperationPhase = "starting";
  let resumptions = 0;
  let samples: Sample[] = [];

  const shown = (counter: ByteCounter): number =>
    totals[counter] > 0 ? Math.min(done[counter], totals[counter]) : done[counter];
  const dropOld = (nowMs: number): void => {
    // The newest sample outside the window stays: the window is measured from it.
    while ((samples[1]?.atMs ?? Number.POSITIVE_INFINITY) <= nowMs - WINDOW_MS) samples.shift();
  };

  return {
    enter(next, known, nowMs) {
      phase = next;
      Object.assign(totals, known);
      const counter = leadingCounters[next];
      samples = counter === undefined ? [] : [{ atMs: nowMs, done: done[counter] }];
    },
    add(counter, bytes, nowMs) {
      done[counter] += bytes;
      if (counter !== leadingCounters[phase]) return;
      const last = samples.at(-1);
      if (last === undefined || nowMs - last.atMs >= SAMPLE_DISTANCE_MS) {
        samples.push({ atMs: nowMs, done: done[counter] });
      }
      dropOld(nowMs);
    },
    resumed() {
      resumptions += 1;
    },
    snapshot(nowMs) {
      dropOld(nowMs);
      const counter = leadingCounters[phase];
      const first = samples[0];
      const elapsedMs = first === undefined ? 0 : nowMs - first.atMs;
      const rate =
        counter === undefined || first === undefined || elapsedMs <= 0
          ? 0
          : ((done[counter] - first.done) * 1_000) / elapsedMs;
      const bytesPerSecond = Math.round(rate);
      const left = counter === undefined ? 0 : totals[counter] - shown(counter);
      return {
        phase,
        read: { done: shown("read"), total: totals.read },
        written: { done: shown("written"), total: totals.written },
        skipped: { done: shown("skipped"), total: totals.skipped },
        verified: { done: shown("verified"), total: totals.verified },
        bytesPerSecond,
        ...(bytesPerSecond > 0 && left > 0 && { etaMs: Math.ceil((left * 1_000) / rate) }),
        resumed: resumptions,
      };
    },
  };
}
