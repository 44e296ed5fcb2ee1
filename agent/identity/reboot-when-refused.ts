import type { Operation } from "../../proto/operation/operation.ts";
import type { Clock } from "../../proto/time/clock.ts";
import { every } from "../../proto/time/every.ts";
import { judgeAnswer, judgeReboot, type Refusals } from "./judge-refusals.ts";

/** How often is looked whether being refused has lasted too long, in milliseconds. */
const lookMs = 10_000;

/** What rebooting needs. */
export interface RefusedReboot {
  readonly operations: {
    list(): readonly Pick<Operation, "state">[];
    refuse(reason: string): () => void;
  };
  readonly reboot: () => Promise<void>;
  /** This node's own number from 0 to 1; see `judgeReboot`. */
  readonly spread: number;
  readonly clock: Clock;
  readonly log: { warn(message: string): void; error(details: object, message: string): void };
}

/**
 * Reboots a netbooted node that the controller has refused for minutes, until the signal aborts: only a boot brings
 * another token. Never while an operation runs; from the decision on, none is started. A reboot that fails is tried again
 * when being refused has lasted as long again.
 *
 * @returns what is to be called with each answer of the controller
 */
export function rebootWhenRefused(parts: RefusedReboot, signal: AbortSignal): (answer: "accepted" | "refused") => void {
  const { operations, clock, log } = parts;
  let refusals: Refusals | undefined;
  const look = async (): Promise<void> => {
    if (!judgeReboot(refusals, clock.now(), parts.spread)) return;
    if (operations.list().some(({ state }) => state === "running")) return;
    const takeAgain = operations.refuse("this node reboots, because the controller does not take it for who it is");
    refusals = undefined;
    log.warn("the controller does not take this node for who it is; rebooting it for another token");
    try {
      await parts.reboot();
    } catch (error) {
      log.error({ err: error }, "cannot reboot this node");
      takeAgain();
    }
  };
  every(clock, lookMs, () => void look(), signal);
  return (answer) => {
    refusals = judgeAnswer(refusals, answer, clock.now());
  };
}
