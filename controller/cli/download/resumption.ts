import { Failure } from "../../../proto/failure.ts";
import { limits } from "../../../proto/limits.ts";
import { backoffBoundMs } from "../../../proto/time/backoff.ts";
import type { Clock } from "../../../proto/time/clock.ts";
import { pause } from "../../../proto/time/pause.ts";
import { BrokenTransfer } from "./send-request.ts";

const mostTries = limits.downloads.tries.most;
const waits = { firstMs: 1000, capMs: limits.downloads.retryMs.most };

/** After so many bytes, tries are counted anew. */
const progressBytes = 1024 * 1024;

/** Goes on with a transfer that broke: waits, and calls `attempt`, until it no longer throws BrokenTransfer. */
export type Resume = <Result>(
  reachedBytes: number,
  why: BrokenTransfer,
  attempt: () => Promise<Result>,
) => Promise<Result>;

/**
 * The tries of one transfer, with growing waits between them. Throws Failure `fetch-failed` after too many without
 * progress, what else an attempt throws, or the signal's reason.
 *
 * @param options.shown the address, for messages
 * @param options.onTrouble told before each wait: a sentence for a person
 */
export function createResumption(options: {
  readonly shown: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onTrouble: (sentence: string) => void;
}): Resume {
  const { shown, clock, signal, onTrouble } = options;
  let [tries, triedAtBytes] = [0, 0];
  return async (reachedBytes, why, attempt) => {
    if (reachedBytes - triedAtBytes >= progressBytes) tries = 0;
    triedAtBytes = reachedBytes;
    for (let trouble = why; ; ) {
      const broke = `the transfer of ${shown} broke off after ${reachedBytes} bytes`;
      if (tries >= mostTries)
        throw new Failure(
          "fetch-failed",
          `${broke}, and ${tries} tries to go on failed (${trouble.message}): run this command again when its server ` +
            "can be reached",
          { cause: trouble },
        );
      tries += 1;
      const waitMs = backoffBoundMs(waits, tries);
      onTrouble(`${broke} (${trouble.message}); going on in ${waitMs / 1000} s, try ${tries} of ${mostTries}`);
      await pause(clock, waitMs, signal);
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof BrokenTransfer)) throw error;
        trouble = error;
      }
    }
  };
}
