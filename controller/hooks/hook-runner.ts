import type { Clock } from "../../proto/time/clock.ts";
import { deliverWebhook } from "./deliver-webhook.ts";
import type { RunHook } from "./hook.ts";
import { runCommand } from "./run-command.ts";

/** Runs hooks on this machine, as the user that the controller runs as. */
export function createHookRunner(options: {
  readonly clock: Clock;
  readonly monotonicClock: Clock;
  readonly log: { warn(details: object, message: string): void };
  /** From 0 (inclusive) to 1 (exclusive); default: Math.random. */
  readonly random?: () => number;
}): RunHook {
  const { clock, monotonicClock, log, random = Math.random } = options;
  return ({ name, action, timeoutMs, gives }, { id, when, nodeName, body }, signal) => {
    const isAnswerRead = gives !== undefined;
    if (action.kind === "command") {
      const variables = { PALLET_HOOK: when, PALLET_HOOK_ID: id, PALLET_NODE: nodeName };
      const about = { input: `${body}\n`, variables, timeoutMs, signal, clock: monotonicClock };
      return runCommand(action.command, { ...about, isAnswerRead });
    }
    return deliverWebhook({
      isAnswerRead,
      ...{ url: action.url, secretFile: action.secretFile, id, body, timeoutMs, signal, clock, monotonicClock, random },
      missed: (why, tries) =>
        log.warn({ hook: name, node: nodeName, why, tries }, "a webhook was not taken; trying again"),
    });
  };
}
