import { cutText } from "../../../proto/cut-text.ts";
import { Failure } from "../../../proto/failure.ts";
import { type AnswerHead, fieldOf, isTemporary } from "./answer-head.ts";
import type { Begun } from "./judge-first-answer.ts";
import { parseContentRange } from "./parse-content-range.ts";

/**
 * The fields of the request that goes on from a byte (RFC 9110 sections 13.1.5 and 14.2); none from the first one.
 * Throws Failure `fetch-failed` if parts of two versions of the file could not be told apart.
 */
export function planContinuation(begun: Begun, reachedBytes: number): Readonly<Record<string, string>> {
  if (reachedBytes === 0 && begun.validator === undefined) return {};
  if (begun.validator === undefined)
    throw new Failure(
      "fetch-failed",
      `the transfer of ${begun.shown} broke off after ${reachedBytes} bytes, and cannot go on: its server sends no ` +
        `strong ETag and no Last-Modified that is old enough, so another version would not be noticed. ${byOtherMeans}`,
    );
  return { range: `bytes=${reachedBytes}-`, "if-range": begun.validator };
}

/**
 * Whether an answer to such a request goes on with the same file, or may do so later. Throws Failure `fetch-failed` if
 * neither.
 */
export function judgeContinuation(head: AnswerHead, begun: Begun, reachedBytes: number): "goes-on" | "later" {
  const { shown } = begun;
  const failed = (message: string, found?: string) =>
    new Failure("fetch-failed", message, found === undefined ? {} : { found: cutText(found, 80) });
  if (isTemporary(head)) return "later";
  if (head.statusCode === 416 || isAnother(head, begun))
    throw failed(
      `${shown} was replaced on its server while it was being fetched, so nothing was made of it: run this command again`,
    );
  // Nothing had come: its beginning is what is wanted.
  if (head.statusCode === 200 && reachedBytes === 0) return "goes-on";
  if (head.statusCode === 200)
    throw failed(
      `the transfer of ${shown} broke off after ${reachedBytes} bytes, and its server cannot go on from there: it ` +
        `answers Range requests with the whole file. ${byOtherMeans}`,
    );
  if (head.statusCode !== 206)
    throw failed(
      `the transfer of ${shown} broke off after ${reachedBytes} bytes, and then its server answered ` +
        `${head.statusCode}: check the address, and run this command again`,
    );
  const said = fieldOf(head, "content-range") ?? "";
  const range = parseContentRange(said);
  const isWanted =
    range?.first === reachedBytes &&
    (begun.totalBytes === undefined ||
      (range.last < begun.totalBytes && (range.totalBytes ?? begun.totalBytes) === begun.totalBytes));
  if (!isWanted)
    throw failed(
      `the server of ${shown} was asked to go on from byte ${reachedBytes}, and sends something else. ${byOtherMeans}`,
      said === "" ? "no Content-Range" : `Content-Range: ${said}`,
    );
  return "goes-on";
}

const byOtherMeans = 'Fetch it to a file with another program ("curl -fLO URL"), and add that file';

/** Whether the answer is of another version of the file than the transfer began with. */
function isAnother(head: AnswerHead, begun: Begun): boolean {
  if (head.statusCode !== 200 && head.statusCode !== 206) return false;
  const differs = (before: string | undefined, now: string | undefined) =>
    before !== undefined && now !== undefined && before !== now;
  const length = head.statusCode === 200 ? fieldOf(head, "content-length") : undefined;
  return (
    differs(begun.etag, fieldOf(head, "etag")) ||
    differs(begun.lastModified, fieldOf(head, "last-modified")) ||
    differs(begun.totalBytes?.toString(), length)
  );
}
