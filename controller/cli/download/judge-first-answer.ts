import { Failure } from "../../../proto/failure.ts";
import { type AnswerHead, fieldOf, isTemporary } from "./answer-head.ts";

/** A transfer that has begun. */
export interface Begun {
  /** The address, for messages. */
  readonly shown: string;
  /** Length of the file; undefined when the server does not say it. */
  readonly totalBytes: number | undefined;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
  /** What If-Range is to say, if this version of the file can be told from every other one. */
  readonly validator: string | undefined;
}

/** What the answer is to be of. */
export interface Expected {
  readonly shown: string;
  /** Most bytes that are taken. */
  readonly mostBytes: number;
  /** Whether a digest vouches for the file, so that its end need not be known. */
  readonly isVouched: boolean;
}

/**
 * What a transfer begins with, by the answer to a request without a range. Throws Failure `fetch-failed` for an answer
 * that is not the file.
 */
export function judgeFirstAnswer(head: AnswerHead, expected: Expected): Begun {
  const { shown, mostBytes, isVouched } = expected;
  const refusal = refusalOf(head);
  if (refusal !== undefined) throw new Failure("fetch-failed", `cannot fetch ${shown}: ${refusal}`);
  if (/^\s*(text\/html|application\/xhtml)/i.test(fieldOf(head, "content-type") ?? ""))
    throw new Failure(
      "fetch-failed",
      `${shown} is a web page and no such file: look at it in a browser, and give the address behind its download link`,
    );
  const length = fieldOf(head, "content-length");
  const totalBytes = length === undefined ? undefined : Number(length);
  if (totalBytes !== undefined && !(totalBytes <= mostBytes))
    throw new Failure("fetch-failed", `${shown} is too large: it may have at most ${mostBytes} bytes`, {
      found: `${length} bytes`,
    });
  if (totalBytes === 0) throw new Failure("fetch-failed", `${shown} is empty: check the address`);
  if (totalBytes === undefined && !/\bchunked\b/i.test(fieldOf(head, "transfer-encoding") ?? "") && !isVouched)
    throw new Failure(
      "fetch-failed",
      `the server does not say how long ${shown} is, so a transfer that breaks off would look complete: give its ` +
        "digest with --sha256",
    );
  const [etag, lastModified] = [fieldOf(head, "etag"), fieldOf(head, "last-modified")];
  return { shown, totalBytes, etag, lastModified, validator: validatorOf(head) };
}

/**
 * What If-Range may say (RFC 9110 section 13.1.5): a strong entity tag; the date of the last change only where there is
 * no tag, and the answer's own date is at least a second later (section 8.8.2.2).
 */
function validatorOf(head: AnswerHead): string | undefined {
  const etag = fieldOf(head, "etag");
  if (etag !== undefined) return /^"[^"\r\n]*"$/.test(etag) ? etag : undefined;
  const lastModified = fieldOf(head, "last-modified");
  const ageMs = Date.parse(fieldOf(head, "date") ?? "") - Date.parse(lastModified ?? "");
  return ageMs >= 1000 ? lastModified : undefined;
}

/** Why an answer is not the file, and what to do; undefined if it is. */
function refusalOf(head: AnswerHead): string | undefined {
  const { statusCode } = head;
  const answered = `the server answered ${statusCode}`;
  if (statusCode === 200) return undefined;
  if (statusCode === 404 || statusCode === 410) return `${answered}, there is no such file: check the address`;
  if (statusCode === 401 || statusCode === 403)
    return `${answered}, it refuses access: fetch it with a program that has it, and give "-": curl --netrc -fL URL | controller images add - --name NAME`;
  if (isTemporary(head)) return `${answered}: try again later`;
  return `${answered}, which is not the file: check the address`;
}
