import {
  type ByteCounter,
  byCounter,
  type OperationPhase,
  type Progress,
  type WriteStage,
  writeStages,
} from "../../proto/operation/progress.ts";

/** An executor reports its progress through this. */
export interface ProgressReporter {
  /** A phase begins; totals (bytes) become known and stay known. */
  enter(phase: OperationPhase, totals?: Partial<Record<ByteCounter, number>>): void;
  /** More bytes of a kind are done. */
  add(counter: ByteCounter, bytes: number): void;
  /** A broken connection to the source was resumed. */
  resumed(): void;
  /** A stage begins a piece of work; it may have several in progress. */
  begin(stage: WriteStage): void;
  /** A stage has finished a piece of work of so many bytes; 0 if it failed. */
  end(stage: WriteStage, bytes: number): void;
  /** A request goes to the disk; the returned function is called once it is answered. */
  askDisk(): () => void;
  /** Bytes that did not verify and were written again. */
  rewritten(bytes: number): void;
}

/** The counter that measures a phase's progress; phases without one have neither speed nor remaining time. */
const leadingCounters: Record<OperationPhase, ByteCounter | undefined> = {
  starting: undefined,
  erasing: undefined,
  comparing: "compared",
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

/** The time window of the speed measurement, in milliseconds. */
const windowMs = 4_000;
/** Smallest distance of two remembered samples, in milliseconds; bounds the memory. */
const sampleDistanceMs = 200;
/** A disk that has not answered a request for longer is stalled, in milliseconds. */
export const stalledAfterMs = 20_000;

interface Sample {
  readonly atMs: number;
  readonly done: number;
}

interface Stage {
  bytes: number;
  busyMs: number;
  inHand: number;
  /** When the first of those in hand was taken up. */
  sinceMs: number;
}

/** Counts bytes and derives speed and remaining time. It has no clock: every call passes the time in milliseconds. */
export interface ProgressMeter {
  enter(phase: OperationPhase, totals: Partial<Record<ByteCounter, number>>, nowMs: number): void;
  add(counter: ByteCounter, bytes: number, nowMs: number): void;
  resumed(): void;
  begin(stage: WriteStage, nowMs: number): void;
  end(stage: WriteStage, bytes: number, nowMs: number): void;
  /** The returned function is called once the disk has answered. */
  askDisk(nowMs: number): () => void;
  rewritten(bytes: number): void;
  /** Never shows more than the total, however much was counted. */
  snapshot(nowMs: number): Progress;
}

/** A meter at zero, in the phase "starting". */
export function createProgressMeter(): ProgressMeter {
  const done = byCounter(() => 0);
  const totals = byCounter(() => 0);
  const stages = new Map<WriteStage, Stage>();
  /** When each request that the disk has not answered was sent, oldest first. */
  const asked = new Map<symbol, number>();
  let phase: OperationPhase = "starting";
  let resumptions = 0;
  let rewrittenBytes = 0;
  let samples: Sample[] = [];

  const shown = (counter: ByteCounter): number =>
    totals[counter] > 0 ? Math.min(done[counter], totals[counter]) : done[counter];
  const dropOld = (nowMs: number): void => {
    // The newest sample outside the window stays: the window is measured from it.
    while ((samples[1]?.atMs ?? Number.POSITIVE_INFINITY) <= nowMs - windowMs) samples.shift();
  };
  const stageOf = (name: WriteStage): Stage => {
    let stage = stages.get(name);
    if (stage === undefined) {
      stage = { bytes: 0, busyMs: 0, inHand: 0, sinceMs: 0 };
      stages.set(name, stage);
    }
    return stage;
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
      if (last === undefined || nowMs - last.atMs >= sampleDistanceMs) {
        samples.push({ atMs: nowMs, done: done[counter] });
      }
      dropOld(nowMs);
    },
    resumed() {
      resumptions += 1;
    },
    begin(name, nowMs) {
      const stage = stageOf(name);
      if (stage.inHand === 0) stage.sinceMs = nowMs;
      stage.inHand += 1;
    },
    end(name, bytes, nowMs) {
      const stage = stageOf(name);
      stage.bytes += bytes;
      stage.inHand -= 1;
      if (stage.inHand === 0) stage.busyMs += nowMs - stage.sinceMs;
    },
    askDisk(nowMs) {
      const request = Symbol();
      asked.set(request, nowMs);
      return () => void asked.delete(request);
    },
    rewritten(bytes) {
      rewrittenBytes += bytes;
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
      const [oldestMs] = asked.values();
      const waitedMs = oldestMs === undefined ? 0 : nowMs - oldestMs;
      return {
        phase,
        ...byCounter((each) => ({ done: shown(each), total: totals[each] })),
        bytesPerSecond,
        ...(bytesPerSecond > 0 && left > 0 && { etaMs: Math.ceil((left * 1_000) / rate) }),
        resumed: resumptions,
        stages: writeStages.flatMap((name) => {
          const stage = stages.get(name);
          if (stage === undefined) return [];
          const { bytes, busyMs, inHand, sinceMs } = stage;
          return [{ stage: name, bytes, busyMs: Math.round(busyMs + (inHand > 0 ? nowMs - sinceMs : 0)) }];
        }),
        ...(waitedMs > stalledAfterMs && { stalledMs: Math.floor(waitedMs / 1_000) * 1_000 }),
        rewrittenBytes,
      };
    },
  };
}
