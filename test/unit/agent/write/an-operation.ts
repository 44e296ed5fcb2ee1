import { pino } from "pino";
import type { OperationContext } from "../../../../agent/operations/executor.ts";
import { createProgressMeter } from "../../../../agent/operations/progress-meter.ts";
import type { OperationPhase, Progress } from "../../../../proto/operation/progress.ts";
import type { DiskOutcome } from "../../../../proto/words/disk-outcome.ts";

/** A context as the registry would give it, and what the executor made of it. */
export interface AnOperation {
  readonly context: OperationContext;
  readonly abort: AbortController;
  readonly phases: OperationPhase[];
  progress(): Progress;
  /** What the disk would hold, in the order of what the executor said. */
  readonly outcomes: DiskOutcome[];
}

/** Called while the executor waits, so that a test can meddle with the disk between two steps. */
export interface Hooks {
  readonly onPhase?: (phase: OperationPhase) => void;
  readonly onProgress?: (progress: Progress) => void;
  /** The clock, in milliseconds. */
  readonly now?: () => number;
}

/** A context that records. */
export function anOperation(hooks: Hooks = {}): AnOperation {
  const now = hooks.now ?? Date.now;
  const abort = new AbortController();
  const meter = createProgressMeter();
  const phases: OperationPhase[] = [];
  const outcomes: DiskOutcome[] = [];
  return {
    abort,
    phases,
    outcomes,
    progress: () => meter.snapshot(now()),
    context: {
      signal: abort.signal,
      log: pino({ level: "silent" }),
      leaves: (outcome) => void outcomes.push(outcome),
      progress: {
        enter(phase, totals = {}) {
          meter.enter(phase, totals, now());
          phases.push(phase);
          hooks.onPhase?.(phase);
        },
        add(counter, bytes) {
          meter.add(counter, bytes, now());
          hooks.onProgress?.(meter.snapshot(now()));
        },
        resumed: () => meter.resumed(),
        begin: (stage) => meter.begin(stage, now()),
        end: (stage, bytes) => meter.end(stage, bytes, now()),
        askDisk: () => meter.askDisk(now()),
        rewritten: (bytes) => meter.rewritten(bytes),
      },
    },
  };
}
