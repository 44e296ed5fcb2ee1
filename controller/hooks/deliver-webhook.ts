import { Failure, messageOf } from "../../proto/failure.ts";
import { limits } from "../../proto/limits.ts";
import { backoff } from "../../proto/time/backoff.ts";
import type { Clock } from "../../proto/time/clock.ts";
import { pause } from "../../proto/time/pause.ts";
import { answerTooLong } from "./answer.ts";
import { judgeAnswer, parseRetryAfter } from "./judge-answer.ts";
import { post } from "./post.ts";
import { readHookSecret } from "./read-hook-secret.ts";
import { signWebhook } from "./sign-webhook.ts";

/** What one try came to, where it was taken. */
interface Taken {
  /** Absent where nobody reads it. */
  readonly answer: string | undefined;
}

/** What one try came to, where it was not taken. */
interface Miss {
  /** What happened, as a clause. */
  readonly why: string;
  readonly found?: string;
  readonly isFinal: boolean;
  /** What the receiver asked for, in milliseconds. */
  readonly waitMs: number;
}

/**
 * Sends a signed POST until it is taken (2xx): tries again, ever later, after a network error, 429 or 5xx, with the same
 * id and body and a new timestamp. Throws a Failure (hook-failed) for another answer, a secret that cannot be used, or
 * when its time is over; the signal's reason when it aborts.
 *
 * Resolves with the body of the answer that took it, if that is read.
 */
export async function deliverWebhook(options: {
  readonly url: string;
  readonly secretFile: string;
  readonly id: string;
  readonly body: string;
  readonly isAnswerRead: boolean;
  /** For all tries together, in milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** For dates: receivers refuse signatures of another time. */
  readonly clock: Clock;
  readonly monotonicClock: Clock;
  readonly random: () => number;
  /** Called after each try but the last that came to nothing. */
  readonly missed: (why: string, tries: number) => void;
}): Promise<string | undefined> {
  const { id, body, isAnswerRead, timeoutMs, signal, clock, monotonicClock, random, missed } = options;
  const url = new URL(options.url);
  const fail = (why: string, found?: string): Failure =>
    new Failure("hook-failed", `${url.href}: ${why}`, found === undefined ? {} : { found });
  const secret = await readHookSecret(options.secretFile).catch((error: unknown) => {
    throw fail(messageOf(error));
  });

  async function tryOnce(withinMs: number): Promise<Miss | Taken> {
    const headers = signWebhook(id, clock.now(), body, secret);
    try {
      const { statusCode, retryAfter, said, answer } = await post(url, headers, body, {
        withinMs,
        clock: monotonicClock,
        signal,
        isAnswerRead: (status) => isAnswerRead && judgeAnswer(status) === "taken",
      });
      const verdict = judgeAnswer(statusCode);
      if (verdict === "taken") {
        if (!isAnswerRead) return { answer: undefined };
        return answer === undefined ? { why: `it ${answerTooLong}`, isFinal: true, waitMs: 0 } : { answer };
      }
      const hint = statusCode >= 300 && statusCode < 400 ? ", and redirects are not followed" : "";
      return {
        why: `it answered with ${statusCode}${hint}`,
        ...(said !== "" && { found: said }),
        isFinal: verdict === "refused",
        waitMs: retryAfter === undefined ? 0 : parseRetryAfter(retryAfter, clock.now()),
      };
    } catch (error) {
      signal.throwIfAborted();
      return { why: messageOf(error), isFinal: false, waitMs: 0 };
    }
  }

  const until = monotonicClock.now() + timeoutMs;
  let tries = 0;
  for (const delayMs of backoff({ firstMs: 1000, capMs: limits.hooks.retryMs.most, random })) {
    const leftMs = until - monotonicClock.now();
    const miss = await tryOnce(Math.max(1, Math.min(leftMs, limits.hooks.requestMs.most)));
    if ("answer" in miss) return miss.answer;
    tries += 1;
    const waitMs = Math.max(delayMs, miss.waitMs);
    const isLate = monotonicClock.now() + waitMs >= until;
    const often = tries === 1 ? "" : `, after ${tries} tries`;
    if (miss.isFinal) throw fail(`${miss.why}${often}`, miss.found);
    if (isLate) throw fail(`${miss.why}${often}; its time limit (timeoutMs) is ${timeoutMs / 1000} s`, miss.found);
    missed(miss.why, tries);
    await pause(monotonicClock, waitMs, signal);
  }
  throw new Error("unreachable: it is tried for ever");
}
