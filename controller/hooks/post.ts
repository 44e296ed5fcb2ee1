import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { messageOf } from "../../proto/failure.ts";
import { limits } from "../../proto/limits.ts";
import { errorCodeOf } from "../../proto/linux/error-code-of.ts";
import type { Clock } from "../../proto/time/clock.ts";
import { createAnswer } from "./answer.ts";
import { createTail } from "./tail.ts";

/** What a server answers to a POST. */
export interface PostAnswer {
  readonly statusCode: number;
  /** The header Retry-After; absent when there is none. */
  readonly retryAfter?: string;
  /** The end of the first bytes of its body, as evidence; empty where the answer is read. */
  readonly said: string;
  /** The whole body; absent where it is not read, or is too long. */
  readonly answer?: string;
}

/**
 * Sends one POST of JSON over a connection of its own, and follows no redirect. Throws an Error that says in a clause
 * what kept it from being answered within `withinMs` milliseconds, or the signal's reason when that aborts.
 */
export async function post(
  url: URL,
  headers: Readonly<Record<string, string>>,
  body: string,
  options: {
    readonly withinMs: number;
    readonly clock: Clock;
    readonly signal: AbortSignal;
    /** Whether the whole body of an answer with that status is wanted, rather than the beginning as evidence. */
    readonly isAnswerRead: (statusCode: number) => boolean;
  },
): Promise<PostAnswer> {
  const { withinMs, clock, signal, isAnswerRead } = options;
  signal.throwIfAborted();
  const late = new AbortController();
  const forget = clock.setTimeout(() => late.abort(), withinMs);
  const send = url.protocol === "https:" ? requestHttps : requestHttp;
  const bytes = Buffer.from(body);
  try {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const call = send(url, {
        method: "POST",
        agent: false,
        headers: {
          "content-type": "application/json",
          "content-length": bytes.length,
          "user-agent": "pallet",
          ...headers,
        },
        signal: AbortSignal.any([signal, late.signal]),
      });
      call.once("response", resolve);
      call.on("error", reject);
      call.end(bytes);
    });
    const { statusCode = 0 } = answer;
    const retryAfter = answer.headers["retry-after"];
    const about = { statusCode, ...(retryAfter !== undefined && { retryAfter }) };
    if (!isAnswerRead(statusCode)) return { ...about, said: await readStart(answer) };
    const text = await readWhole(answer);
    return { ...about, said: "", ...(text !== undefined && { answer: text }) };
  } catch (error) {
    signal.throwIfAborted();
    if (late.signal.aborted) throw new Error(`no answer within ${Math.round(withinMs) / 1000} s`, { cause: error });
    // An AggregateError of several addresses has no message of its own.
    throw new Error(messageOf(error) || (errorCodeOf(error) ?? "the connection failed"), { cause: error });
  } finally {
    forget();
  }
}

/** A whole body; undefined when it is too long. Throws when it is cut short. */
async function readWhole(answer: IncomingMessage): Promise<string | undefined> {
  const whole = createAnswer();
  try {
    for await (const chunk of answer) {
      whole.add(chunk as Buffer);
      if (whole.isTooLong()) break;
    }
  } finally {
    answer.destroy();
  }
  return whole.text();
}

/** As much of a body as is kept of it; the answer counts, even if the rest never comes. */
async function readStart(answer: IncomingMessage): Promise<string> {
  const most = limits.hooks.outputCharacters.most;
  const said = createTail(most);
  let bytes = 0;
  try {
    for await (const chunk of answer) {
      said.add(chunk as Buffer);
      bytes += (chunk as Buffer).length;
      if (bytes >= most) break;
    }
  } catch (error) {
    // Its status is here. That it was cut short is only told where it is evidence.
    said.add(Buffer.from(` (${messageOf(error)})`));
  } finally {
    answer.destroy();
  }
  return said.text();
}
