import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { Failure } from "../../../proto/failure.ts";
import { foregroundClock } from "../../../proto/time/clock.ts";
import type { AnswerHead } from "./answer-head.ts";
import { explainRequestError, isCertificateError } from "./explain-request-error.ts";
import { shownAddress } from "./parse-web-address.ts";
import { planRedirect } from "./plan-redirect.ts";

/** The way to the server broke, or it fell silent: asking again may help. */
export class BrokenTransfer extends Error {
  override readonly name = "BrokenTransfer";
}

/** An answer, with its body still to come. */
export interface Answer {
  readonly head: AnswerHead;
  readonly body: IncomingMessage;
}

/** How long to wait, and when to stop. */
export interface Patience {
  /** Milliseconds without anything from the server. */
  readonly idleMs: number;
  readonly signal: AbortSignal;
}

/**
 * Asks for a file and follows redirects. The body comes as the server sends it: Node's fetch would unpack what a server
 * labels "Content-Encoding: gzip", as many do with .img.gz, and count other bytes than Range does. Throws
 * BrokenTransfer, Failure `fetch-failed`, or the signal's reason.
 */
export async function sendRequest(
  address: URL,
  fields: Readonly<Record<string, string>>,
  patience: Patience,
): Promise<Answer> {
  for (let [url, followed] = [address, 0]; ; followed += 1) {
    const body = await sendOne(url, fields, patience);
    const head = { statusCode: body.statusCode ?? 0, headers: body.headers };
    try {
      const next = planRedirect(head, url, followed);
      if (next === undefined) return { head, body };
      url = next;
    } catch (error) {
      discard(body);
      throw error;
    }
    discard(body);
  }
}

/** The bytes of a body, until it is complete. Throws as sendRequest does when it is not. */
export async function* bytesOf(body: IncomingMessage, { idleMs, signal }: Patience): AsyncGenerator<Uint8Array> {
  // What is asked for and not used any more must not count as unhandled.
  body.on("error", () => undefined);
  const parts = body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  try {
    for (;;) {
      const next = await withoutSilence(parts.next(), idleMs, signal);
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    discard(body);
  }
}

/** Gives an answer up. */
export function discard(body: IncomingMessage): void {
  body.on("error", () => undefined);
  body.destroy();
}

async function sendOne(
  url: URL,
  fields: Readonly<Record<string, string>>,
  patience: Patience,
): Promise<IncomingMessage> {
  const { idleMs, signal } = patience;
  signal.throwIfAborted();
  const send = url.protocol === "https:" ? requestHttps : requestHttp;
  const call = send(url, {
    // One connection each: one that was left idle may be gone when it is needed.
    agent: false,
    headers: { accept: "*/*", "accept-encoding": "identity", "user-agent": "pallet-controller", ...fields },
  });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    call.once("response", resolve);
    call.on("error", reject);
  });
  call.end();
  try {
    return await withoutSilence(answered, idleMs, signal);
  } catch (error) {
    call.destroy();
    if (error instanceof BrokenTransfer && isCertificateError(error.cause))
      throw new Failure("fetch-failed", `cannot fetch ${shownAddress(url)}: ${error.message}`, { cause: error.cause });
    throw error;
  }
}

/** What comes next; throws BrokenTransfer if the way to it breaks or nothing comes for so long. */
async function withoutSilence<Result>(next: Promise<Result>, idleMs: number, signal: AbortSignal): Promise<Result> {
  const over = new AbortController();
  const silence = new Promise<never>((_, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true, signal: over.signal });
    foregroundClock.setTimeout(
      () => reject(new BrokenTransfer(`its server sent nothing for ${idleMs / 1000} s`)),
      idleMs,
      over.signal,
    );
  });
  const broken = next.catch((cause: unknown) => {
    throw new BrokenTransfer(explainRequestError(cause), { cause });
  });
  try {
    return await Promise.race([broken, silence]);
  } finally {
    over.abort();
    broken.catch(() => undefined);
  }
}
