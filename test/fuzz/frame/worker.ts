// A thread in which families are played: one whose check never ends, or takes all memory, can be ended from outside.
import { inspect } from "node:util";
import { deserialize, serialize } from "node:v8";
import { parentPort, workerData } from "node:worker_threads";
import type { AnyFamily } from "./family.ts";
import { type Finding, inputAt, play } from "./play.ts";

/** What the thread is started with. */
export interface WorkerData {
  /** The module that exports `groups`. */
  readonly module: string;
  /** Two counters that both sides see: inputs so far, and changes of any kind. */
  readonly progress: Int32Array;
}

/** A module with families in groups. */
export interface GroupsModule {
  readonly groups: Readonly<Record<string, readonly AnyFamily[]>>;
}

/** What the thread is asked, one at a time. */
export type Task =
  | { readonly type: "play"; readonly family: string; readonly seed: number; readonly budgetMs: number }
  | { readonly type: "input-at"; readonly family: string; readonly seed: number; readonly count: number }
  | { readonly type: "check"; readonly family: string; readonly input: unknown };

/** What it answers; `error` only to a check. Both travel as `v8.serialize` writes them, which knows a Buffer. */
export interface Answer {
  readonly finding?: Finding | undefined;
  readonly input?: unknown;
  readonly error?: string;
}

const { module, progress } = workerData as WorkerData;
const { groups } = (await import(module)) as GroupsModule;
const families = new Map(
  Object.values(groups)
    .flat()
    .map((family) => [family.name, family]),
);

function beat(count: number): void {
  progress[0] = count;
  Atomics.add(progress, 1, 1);
}

async function carryOut(task: Task): Promise<Answer> {
  const family = families.get(task.family);
  if (family === undefined) throw new Error(`there is no family ${task.family}`);
  switch (task.type) {
    case "play":
      return { finding: await play(family, task, beat) };
    case "input-at":
      return { input: await inputAt(family, task.seed, task.count) };
    case "check":
      try {
        await family.check(task.input);
        return {};
      } catch (error) {
        return { error: inspect(error).slice(0, 4_000) };
      }
  }
}

parentPort?.on("message", async (task: Uint8Array) => {
  beat(0);
  parentPort?.postMessage(serialize(await carryOut(deserialize(task) as Task)));
});
