import type { IncomingMessage } from "node:http";
import { Failure } from "../../../proto/failure.ts";
import { limits } from "../../../proto/limits.ts";
import type { Clock } from "../../../proto/time/clock.ts";
import { judgeContinuation, planContinuation } from "./judge-continuation.ts";
import { type Begun, judgeFirstAnswer } from "./judge-first-answer.ts";
import { shownAddress } from "./parse-web-address.ts";
import { createResumption } from "./resumption.ts";
import { BrokenTransfer, bytesOf, discard, type Patience, sendRequest } from "./send-request.ts";

/** How a file is fetched. */
export interface DownloadOptions {
  readonly signal: AbortSignal;
  /** For the waits between tries. */
  readonly clock: Clock;
  /** Most bytes that are taken. */
  readonly mostBytes: number;
  /** Whether a digest vouches for the file. */
  readonly isVouched: boolean;
  /** Told when the transfer broke and goes on: a sentence for a person. */
  readonly onTrouble: (sentence: string) => void;
  /** Milliseconds of silence after which a transfer counts as broken; the limit unless given. */
  readonly idleMs?: number;
}

/** A file that comes from a web server. */
export interface Download {
  /** Its length; 0 if unknown. */
  readonly fileBytes: number;
  /** Its bytes, once; throws Failure `fetch-failed`, or the signal's reason. */
  readonly bytes: AsyncIterable<Uint8Array>;
  close(): void;
}

/**
 * Begins to fetch a file. A transfer that breaks off goes on from the byte that it reached, of the same version of the
 * file, as often as the limits allow. Throws Failure `fetch-failed`, or the signal's reason.
 */
export async function openDownload(address: URL, options: DownloadOptions): Promise<Download> {
  const { signal, idleMs = limits.downloads.idleMs.most, mostBytes, isVouched } = options;
  const shown = shownAddress(address);
  const closing = new AbortController();
  const patience = { idleMs, signal: AbortSignal.any([signal, closing.signal]) };
  const answer = await sendRequest(address, {}, patience).catch((cause: unknown) => {
    if (!(cause instanceof BrokenTransfer)) throw cause;
    throw new Failure("fetch-failed", `cannot fetch ${shown}: ${cause.message}`, { cause });
  });
  let begun: Begun;
  try {
    begun = judgeFirstAnswer(answer.head, { shown, mostBytes, isVouched });
  } catch (error) {
    discard(answer.body);
    throw error;
  }
  const { totalBytes } = begun;
  const most = totalBytes ?? mostBytes;
  const resume = createResumption({ ...options, shown, signal: patience.signal });
  let body = answer.body;
  const bytes = async function* (): AsyncGenerator<Uint8Array> {
    for (let reachedBytes = 0; ; ) {
      try {
        for await (const part of bytesOf(body, patience)) {
          reachedBytes += part.length;
          if (reachedBytes > most)
            throw new Failure(
              "fetch-failed",
              totalBytes === undefined
                ? `${shown} is too large: more than ${most} bytes came`
                : `more of ${shown} comes than was announced: try again later`,
              { expected: `at most ${most} bytes` },
            );
          yield part;
        }
        if (totalBytes === undefined || reachedBytes === totalBytes) return;
        throw new BrokenTransfer("its server ended it");
      } catch (error) {
        if (!(error instanceof BrokenTransfer)) throw error;
        const fields = planContinuation(begun, reachedBytes);
        const at = reachedBytes;
        body = await resume(at, error, () => goOn(address, begun, at, fields, patience));
      }
    }
  };
  return {
    fileBytes: totalBytes ?? 0,
    bytes: bytes(),
    close() {
      // What waits for more, or to try again, gives up.
      closing.abort();
      discard(body);
    },
  };
}

/** The rest of the file. Throws BrokenTransfer if another try may help. */
async function goOn(
  address: URL,
  begun: Begun,
  reachedBytes: number,
  fields: Readonly<Record<string, string>>,
  patience: Patience,
): Promise<IncomingMessage> {
  const { head, body } = await sendRequest(address, fields, patience);
  try {
    if (judgeContinuation(head, begun, reachedBytes) === "goes-on") return body;
    throw new BrokenTransfer(`its server answered ${head.statusCode}`);
  } catch (error) {
    discard(body);
    throw error;
  }
}
