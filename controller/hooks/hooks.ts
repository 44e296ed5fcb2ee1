import { Failure } from "../../proto/failure.ts";
import type { NodeId } from "../../proto/names/node-id.ts";
import type { Clock } from "../../proto/time/clock.ts";
import type { NewEvent } from "../events/event.ts";
import type { Hook, HookCall, HookMoment, RunHook } from "./hook.ts";
import { createHookQueue, type HookRows } from "./hook-queue.ts";
import { type HookNode, type HookOccasion, renderHookCall } from "./render-hook-call.ts";
import { selectHooks } from "./select-hooks.ts";

/** What runs on the management machine at the moments of a reimage. */
export interface Hooks {
  /** Whether any hook of that moment is meant for the node. */
  concern(when: HookMoment, node: HookNode): boolean;
  /**
   * Runs the node's hooks of that moment now, one after the other. Throws a Failure (hook-failed) for the first that
   * fails, and the signal's reason when it aborts; the others are then not run.
   */
  run(occasion: HookOccasion, signal: AbortSignal): Promise<void>;
  /** Has the node's hooks of that moment run some time, whatever becomes of each. Durable when it returns. */
  queue(occasion: HookOccasion): void;
  /** Takes up what was queued before this start. Call once. */
  resume(): void;
  /** Ends what runs; resolves when nothing does. What was queued is repeated at the next start. */
  close(): Promise<void>;
}

/** Builds the hooks of a configuration. Every start and end of one is an event. */
export function createHooks(options: {
  readonly hooks: readonly Hook[];
  readonly rows: HookRows;
  readonly runHook: RunHook;
  readonly events: { append(event: NewEvent): unknown };
  readonly monotonicClock: Clock;
  readonly log: { error(details: object, message: string): void };
}): Hooks {
  const { hooks, rows, runHook, events, monotonicClock, log } = options;
  const closed = new AbortController();
  const atWork = new Set<Promise<void>>();
  const queue = createHookQueue({ rows, perform, log });

  /** An event that cannot be kept goes to the log: that must not keep a hook from its work. */
  function tell(call: HookCall, type: NewEvent["type"], severity: NewEvent["severity"], message: string): void {
    const { nodeName, rolloutId } = call;
    try {
      events.append({ type, severity, nodeId: call.nodeId as NodeId, nodeName, rolloutId, message });
    } catch (error) {
      log.error({ err: error, type, node: nodeName, message }, "could not record an event");
    }
  }

  /** Throws a Failure that names hook and node, or the signal's reason. */
  async function runTold(hook: Hook, call: HookCall, signal: AbortSignal): Promise<void> {
    const which = `the ${call.when} hook ${call.hook} of ${call.nodeName}`;
    const began = monotonicClock.now();
    tell(call, "hook-started", "info", `running ${which}`);
    try {
      await runHook(hook, call, signal);
    } catch (error) {
      signal.throwIfAborted();
      const { reason, message, evidence } = Failure.from(error);
      const failure = new Failure(reason, `${which} failed: ${message}`, { ...evidence, cause: error });
      tell(call, "hook-failed", "warning", failure.message);
      throw failure;
    }
    const seconds = Math.round((monotonicClock.now() - began) / 100) / 10;
    tell(call, "hook-succeeded", "info", `${which} succeeded after ${seconds} s`);
  }

  /** Of a queued one. What it came to is told; nobody waits for it. */
  async function perform(call: HookCall, signal: AbortSignal): Promise<void> {
    const hook = hooks.find(({ name, when }) => name === call.hook && when === call.when);
    if (hook === undefined) {
      const message = `the ${call.when} hook ${call.hook} of ${call.nodeName} did not run: the configuration has no such hook any more`;
      tell(call, "hook-failed", "warning", message);
      return;
    }
    try {
      await runTold(hook, call, signal);
    } catch {
      // That it failed was told.
      signal.throwIfAborted();
    }
  }

  async function runAll({ when, ...rest }: HookOccasion, signal: AbortSignal): Promise<void> {
    for (const hook of selectHooks(hooks, when, rest.node.labels))
      await runTold(hook, renderHookCall(hook, { when, ...rest }), signal);
  }

  return {
    concern: (when, node) => selectHooks(hooks, when, node.labels).length > 0,
    async run(occasion, signal) {
      const work = runAll(occasion, AbortSignal.any([signal, closed.signal]));
      const settled = work.catch(() => undefined);
      atWork.add(settled);
      try {
        await work;
      } finally {
        atWork.delete(settled);
      }
    },
    queue(occasion) {
      const chosen = selectHooks(hooks, occasion.when, occasion.node.labels);
      if (chosen.length > 0) queue.add(chosen.map((hook) => renderHookCall(hook, occasion)));
    },
    resume: queue.resume,
    async close() {
      closed.abort(new Error("the controller is stopping"));
      await Promise.all([queue.close(), ...atWork]);
    },
  };
}
