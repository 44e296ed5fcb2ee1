import { Failure } from "../../proto/failure.ts";
import { msBetween } from "../../proto/time/boot-moment.ts";
import { actForItself } from "../callers/author.ts";
import { createClockReader } from "../clock/read-clock.ts";
import type { World } from "./executors/executor.ts";
import { carryOut } from "./executors/executors.ts";
import { afterClockSet } from "./machine/after-clock-set.ts";
import type { Effect } from "./machine/effect.ts";
import type { Occurrence, ReimageEvent } from "./machine/reimage-event.ts";
import { durablePart, hasEnded, isSettled, type ReimageState } from "./machine/reimage-state.ts";
import type { ReimageSettings } from "./machine/settings.ts";
import type { Step } from "./machine/step.ts";
import { transition } from "./machine/transition.ts";

/** One node's running reimage: handles events one at a time, saves its state, and only then acts. */
export interface ReimageActor {
  /** Where it stands now. */
  state(): ReimageState;
  tell(occurrence: Occurrence): void;
  /** Stops all work; the journal has the state. */
  stop(): void;
}

/** Builds the actor in the state given; nothing happens before the first event. */
export function createReimageActor(options: {
  readonly state: ReimageState;
  readonly world: World;
  readonly settings: ReimageSettings;
  /** Durable when it returns. */
  readonly save: (state: ReimageState) => void;
  /** Called after every change, saved or not. */
  readonly onChange: () => void;
}): ReimageActor {
  const { world, settings, save, onChange } = options;
  const { clock, log } = world;
  const stopped = new AbortController();
  const waiting: ReimageEvent[] = [];
  let state = options.state;
  const read = createClockReader(clock, world.moment);
  let busy = false;
  let paused = false;
  /** What belongs to the current step: aborted with it. */
  let step = new AbortController();
  /** The running effect of each kind, in the current step. */
  let running = new Map<string, AbortController>();

  function receive(event: ReimageEvent): void {
    waiting.push(event);
    work();
  }

  function work(): void {
    if (busy || paused) return;
    busy = true;
    try {
      for (let event = waiting.shift(); event !== undefined && !stopped.signal.aborted; event = waiting.shift()) {
        if (take(event)) continue;
        // Not saved, so not acted upon: the event waits until the journal accepts it.
        waiting.unshift(event);
        paused = true;
        clock.setTimeout(workAgain, settings.retryDelayMs, stopped.signal);
        return;
      }
    } finally {
      busy = false;
    }
  }

  function workAgain(): void {
    paused = false;
    work();
  }

  /** Whether the event was dealt with. */
  function take(event: ReimageEvent): boolean {
    const now = readClock();
    const next = timed(transition(state, event, now, settings));
    if (next.state !== state && differ(next.state, state)) {
      try {
        save(next.state);
      } catch (error) {
        log.error({ err: error, node: state.nodeName, event: event.type }, "could not journal a reimage; retrying");
        return false;
      }
    }
    const changed = next.state !== state;
    if (next.state.step !== state.step) {
      step.abort();
      step = new AbortController();
      running = new Map();
    }
    state = next.state;
    act(next.effects);
    if (changed) onChange();
    return true;
  }

  /** The time by the clock; where that was set since it was read last, the state's times follow. */
  function readClock(): number {
    const { at, setByMs } = read();
    if (setByMs !== 0) state = afterClockSet(state, setByMs);
    return at;
  }

  /** An end is told with how long it took: the times of its start and its end may be of a clock that was set meanwhile. */
  function timed(step: Step): Step {
    const { phase } = step.state;
    if (!hasEnded(phase) || (hasEnded(state.phase) && state.phase.endedAt === phase.endedAt)) return step;
    const tookMs = msBetween(state.began, world.moment());
    return { ...step, state: { ...step.state, ...(tookMs !== undefined && { tookMs }) } };
  }

  function act(effects: readonly Effect[]): void {
    const { step: number } = state;
    for (const effect of effects) {
      if (stopped.signal.aborted) return;
      const signal = signalFor(effect);
      const failed = (error: unknown): void => {
        if (!signal.aborted) effectFailed(effect, error, number);
      };
      try {
        const work = carryOut(effect, {
          state,
          world,
          signal,
          answer: (answer) => {
            if (!signal.aborted) receive({ ...answer, step: number });
          },
          report: receive,
        });
        work?.catch(failed);
      } catch (error) {
        // What follows may rely on this effect: a node must not reboot when its boot target could not be set.
        failed(error);
        return;
      }
    }
  }

  /** A newer effect of a kind takes the place of the one that runs. */
  function signalFor(effect: Effect): AbortSignal {
    const kind = effect.type === "arm-timer" ? effect.timer : effect.type;
    running.get(kind)?.abort();
    const own = new AbortController();
    running.set(kind, own);
    return AbortSignal.any([own.signal, step.signal, stopped.signal]);
  }

  function effectFailed(effect: Effect, error: unknown, number: number): void {
    log.error({ err: error, node: state.nodeName, effect: effect.type }, "an effect of a reimage failed");
    receive({ type: "effect-failed", failure: Failure.from(error), step: number });
    if (hasEnded(state.phase) && !isSettled(state.phase)) {
      clock.setTimeout(() => receive({ type: "resumed" }), settings.rebootRetryMs, stopped.signal);
    }
  }

  return {
    state: () => state,
    // Who brings the news has not decided what follows from it: a rollout's steps are the controller's own.
    tell: (occurrence) => actForItself(() => receive(occurrence)),
    stop() {
      stopped.abort();
      step.abort();
    },
  };
}

function differ(a: ReimageState, b: ReimageState): boolean {
  return JSON.stringify(durablePart(a)) !== JSON.stringify(durablePart(b));
}
