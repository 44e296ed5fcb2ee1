import { Failure } from "../../proto/failure.ts";
import type { NodeId } from "../../proto/names/node-id.ts";
import type { Clock } from "../../proto/time/clock.ts";
import type { NewEvent } from "../events/event.ts";
import { withoutSecrets } from "./hide-secrets.ts";
import type { GivenValues, Hook, HookCall, HookMoment, RunHook } from "./hook.ts";
import { createHookQueue, type HookRows } from "./hook-queue.ts";
import { parseGivenValues } from "./parse-given-values.ts";
import { mergeGiven, selectGiving } from "./promised-values.ts";
import { type HookNode, type HookOccasion, renderHookCall } from "./render-hook-call.ts";
import { selectHooks } from "./select-hooks.ts";

/** What runs on the management machine at the moments of a reimage. */
export interface Hooks {
  /** Whether any hook of that moment is meant for the node. */
  concern(when: HookMoment, node: HookNode): boolean;
  /**
   * Runs the node's hooks of that moment now, one after the other. Throws a Failure (hook-failed) for the first that
   * fails, and the signal's reason when it aborts; the others are then not run. What they give is remembered.
   */
  run(occasion: HookOccasion, signal: AbortSignal): Promise<void>;
  /**
   * What the node's before-reimage hooks have given for this reimage. Where that is not known, because the controller has started since,
   * those that give something are run again, once for all who ask. Throws as `run`.
   */
  given(occasion: HookOccasion, signal: AbortSignal): Promise<GivenValues>;
  /** Drops what was given for a reimage, and ends what still runs for that. */
  forget(reimageId: string): void;
  /** Has the node's hooks of that moment run some time, whatever becomes of each. Durable when it returns. */
  queue(occasion: HookOccasion): void;
  /** Takes up what was queued before this start. Call once. */
  resume(): void;
  /** Ends what runs; resolves when nothing does. What was queued is repeated at the next start. */
  close(): Promise<void>;
}

const nothingGiven: GivenValues = { values: {}, secrets: {} };

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
  /** By reimage; in memory alone. */
  const given = new Map<string, GivenValues>();
  const asked = new Map<string, { readonly answer: Promise<GivenValues>; readonly stop: AbortController }>();
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

  /**
   * Resolves with what it gives. Throws a Failure that names hook and node, or the signal's reason.
   *
   * @param secrets what hooks before it gave, which it may know and print
   */
  async function runTold(
    hook: Hook,
    call: HookCall,
    signal: AbortSignal,
    secrets: readonly string[] = [],
  ): Promise<GivenValues> {
    const which = `the ${call.when} hook ${call.hook} of ${call.nodeName}`;
    const began = monotonicClock.now();
    tell(call, "hook-started", "info", `running ${which}`);
    let gifts = nothingGiven;
    try {
      const answer = await runHook(hook, call, signal);
      if (hook.gives !== undefined) gifts = parseGivenValues(hook.gives, answer ?? "");
    } catch (error) {
      signal.throwIfAborted();
      const cause = withoutSecrets(Failure.from(error), secrets);
      const { reason, message, evidence } = cause;
      const failure = new Failure(reason, `${which} failed: ${message}`, { ...evidence, cause });
      tell(call, "hook-failed", "warning", failure.message);
      throw failure;
    }
    const seconds = Math.round((monotonicClock.now() - began) / 100) / 10;
    tell(call, "hook-succeeded", "info", `${which} succeeded after ${seconds} s`);
    return gifts;
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

  async function runAll(chosen: readonly Hook[], occasion: HookOccasion, signal: AbortSignal): Promise<GivenValues> {
    let all = nothingGiven;
    for (const hook of chosen) {
      const secrets = Object.values(all.secrets);
      all = mergeGiven(all, await runTold(hook, renderHookCall(hook, occasion), signal, secrets));
    }
    return all;
  }

  /** Until the controller stops. */
  async function whileOpen<T>(begin: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    const work = begin(AbortSignal.any([signal, closed.signal]));
    const settled = work.then(
      () => undefined,
      () => undefined,
    );
    atWork.add(settled);
    try {
      return await work;
    } finally {
      atWork.delete(settled);
    }
  }

  /** Goes on when the first who asked does not wait any more: his next try asks again. */
  function askAgain(occasion: HookOccasion): Promise<GivenValues> {
    const { id } = occasion.reimage;
    const before = asked.get(id);
    if (before !== undefined) return before.answer;
    const stop = new AbortController();
    const giving = selectGiving(hooks, occasion.node);
    const answer = whileOpen((signal) => runAll(giving, occasion, signal), stop.signal)
      .then((gifts) => {
        stop.signal.throwIfAborted();
        given.set(id, gifts);
        return gifts;
      })
      .finally(() => asked.delete(id));
    asked.set(id, { answer, stop });
    return answer;
  }

  return {
    concern: (when, node) => selectHooks(hooks, when, node.labels).length > 0,
    async run(occasion, signal) {
      const chosen = selectHooks(hooks, occasion.when, occasion.node.labels);
      const gifts = await whileOpen((until) => runAll(chosen, occasion, until), signal);
      given.set(occasion.reimage.id, gifts);
    },
    async given(occasion, signal) {
      const known = given.get(occasion.reimage.id);
      if (known !== undefined) return known;
      return await unlessAborted(askAgain(occasion), signal);
    },
    forget(reimageId) {
      given.delete(reimageId);
      asked.get(reimageId)?.stop.abort(new Error("its reimage has ended"));
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

/** What a promise comes to, unless the signal aborts before: then its reason is thrown. The work itself goes on. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const over = new AbortController();
  try {
    return await Promise.race([
      work,
      new Promise<never>((_resolve, reject) => {
        if (signal.aborted) reject(signal.reason);
        signal.addEventListener("abort", () => reject(signal.reason), { once: true, signal: over.signal });
      }),
    ]);
  } finally {
    over.abort();
  }
}
