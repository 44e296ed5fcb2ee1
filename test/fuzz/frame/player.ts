import process from "node:process";
import { deserialize, serialize } from "node:v8";
import { Worker } from "node:worker_threads";
import type { Finding } from "./play.ts";
import type { Answer, Task, WorkerData } from "./worker.ts";

/** Bounds of one check. They are far beyond what any input needs, also on a machine that does other things. */
export interface PlayerLimits {
  /** A check that takes longer counts as one that never ends, in milliseconds. */
  readonly hangMs: number;
  /** A check during which the process becomes so much larger counts as one that takes all memory, in MiB. */
  readonly memoryMiB: number;
}

export const defaultPlayerLimits: PlayerLimits = { hangMs: 30_000, memoryMiB: 1_024 };

const pollMs = 100;

/** Plays families in a thread of its own, and outlives that thread. */
export interface Player {
  /** As `play`; also finds the input whose check does not end, or takes all memory. */
  play(family: string, seed: number, budgetMs: number): Promise<Finding | undefined>;
  /** Checks one input again. Resolves with what is wrong with it; with undefined when nothing is. */
  check(family: string, input: unknown): Promise<string | undefined>;
  close(): Promise<void>;
}

/** The thread did not answer. */
class NoAnswer extends Error {
  readonly count: number;

  constructor(message: string, count: number) {
    super(message);
    this.count = count;
  }
}

/** @param module URL of the module that exports `groups` */
export function createPlayer(module: string, limits: PlayerLimits = defaultPlayerLimits): Player {
  const progress = new Int32Array(new SharedArrayBuffer(8));
  let worker: Worker | undefined;

  const ask = async (task: Task): Promise<Answer> => {
    worker ??= new Worker(new URL("worker.ts", import.meta.url), {
      workerData: { module, progress } satisfies WorkerData,
    });
    const thread = worker;
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    // As long as nothing has moved, the thread is loading the modules.
    const begun = Atomics.load(progress, 1);
    let before = begun;
    let quietMs = 0;
    const rssBefore = process.memoryUsage.rss();
    const giveUp = (why: string): void => reject(new NoAnswer(why, Atomics.load(progress, 0)));
    const timer = setInterval(() => {
      const now = Atomics.load(progress, 1);
      quietMs = now === before && now !== begun ? quietMs + pollMs : 0;
      before = now;
      if (quietMs > limits.hangMs + patienceOf(task)) giveUp(`did not end within ${limits.hangMs / 1_000} s`);
      // Of the whole process: a thread's own limit on its heap ends the process now and then, and has no buffers in it.
      const grownMiB = (process.memoryUsage.rss() - rssBefore) / 2 ** 20;
      if (grownMiB > limits.memoryMiB) giveUp(`took more than ${limits.memoryMiB} MiB`);
    }, pollMs);
    thread.once("message", resolve).once("error", reject);
    thread.postMessage(serialize(task));
    try {
      return deserialize(await promise) as Answer;
    } catch (error) {
      worker = undefined;
      await thread.terminate();
      throw error;
    } finally {
      clearInterval(timer);
      thread.off("message", resolve).off("error", reject);
    }
  };

  return {
    async play(family, seed, budgetMs) {
      try {
        const { finding } = await ask({ type: "play", family, seed, budgetMs });
        return finding;
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error;
        const { count } = error;
        const { input } = await ask({ type: "input-at", family, seed, count });
        return { family, seed, path: String(count), input, error: `the check of it ${error.message}` };
      }
    },
    async check(family, input) {
      try {
        const { error } = await ask({ type: "check", family, input });
        return error;
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error;
        return `the check of it ${error.message}`;
      }
    },
    async close() {
      await worker?.terminate();
      worker = undefined;
    },
  };
}

/** While an input is made again, those before it are made too, and none is checked. */
function patienceOf(task: Task): number {
  return task.type === "input-at" ? 60_000 : 0;
}
