import { limits } from "../../proto/limits.ts";
import type { HookCall } from "./hook.ts";

/** The hooks that are still to run, on disk. Every write is durable when it returns. */
export interface HookRows {
  /** In the order in which they were added. */
  list(): readonly HookCall[];
  /** Adds those whose id is not there yet, all or none. */
  add(calls: readonly HookCall[]): void;
  remove(id: string): void;
}

/** Hooks that run some time: each until it has ended once, over restarts of the controller. */
export interface HookQueue {
  /** Durable when it returns; what is there already is not added again. */
  add(calls: readonly HookCall[]): void;
  /** Takes up what the last run of the controller has left. */
  resume(): void;
  /** Ends what runs, which the next start repeats; resolves when nothing runs any more. */
  close(): Promise<void>;
}

/**
 * Builds a queue over what `rows` remembers. The hooks of one node run one after the other, in the order in which they
 * were added; those of several nodes beside each other, up to `limits.hooks.afterAtOnce`.
 *
 * @param perform carries one out, and tells how it ended; rejects only when the signal aborts
 */
export function createHookQueue(options: {
  readonly rows: HookRows;
  readonly perform: (call: HookCall, signal: AbortSignal) => Promise<void>;
  readonly log: { error(details: object, message: string): void };
}): HookQueue {
  const { rows, perform, log } = options;
  const closed = new AbortController();
  const waiting: HookCall[] = [];
  /** By node. */
  const running = new Map<string, Promise<void>>();
  const known = new Set<string>();

  function enqueue(calls: readonly HookCall[]): void {
    for (const call of calls) {
      if (known.has(call.id)) continue;
      known.add(call.id);
      waiting.push(call);
    }
    startNext();
  }

  function startNext(): void {
    while (!closed.signal.aborted && running.size < limits.hooks.afterAtOnce.most) {
      const index = waiting.findIndex(({ nodeId }) => !running.has(nodeId));
      const [call] = index < 0 ? [] : waiting.splice(index, 1);
      if (call === undefined) return;
      running.set(call.nodeId, work(call));
    }
  }

  async function work(call: HookCall): Promise<void> {
    try {
      await perform(call, closed.signal);
      rows.remove(call.id);
    } catch (error) {
      // Repeated at the next start: at least once is what is promised.
      if (!closed.signal.aborted) log.error({ err: error, hook: call.hook, id: call.id }, "a hook could not be ended");
    }
    known.delete(call.id);
    running.delete(call.nodeId);
    startNext();
  }

  return {
    add(calls) {
      rows.add(calls);
      enqueue(calls);
    },
    resume: () => enqueue(rows.list()),
    async close() {
      closed.abort(new Error("the controller is stopping"));
      await Promise.all(running.values());
    },
  };
}
