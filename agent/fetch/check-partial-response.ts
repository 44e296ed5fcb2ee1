import { cutText } from "../../proto/cut-text.ts";
import { Failure } from "../../proto/failure.ts";

/** What identifies one version of a file on the server (RFC 9110 section 8.8). */
export interface Validators {
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
}

/** A requested range of a file. */
export interface Wanted {
  readonly url: string;
  readonly fromByte: number;
  /** Length of the range in bytes. */
  readonly lengthBytes: number;
  /** Length of the whole file in bytes, as the controller knows it. */
  readonly totalBytes: number;
  /** Those of the answer before this one; undefined for the first. */
  readonly validators: Validators | undefined;
}

/** The header of an HTTP answer; field names in lower case. */
export interface ResponseHead {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** An answer after which a retry may help: the server is overloaded, restarting, or slow. */
export class TemporaryError extends Error {
  override readonly name = "TemporaryError";
}

/**
 * Decides whether an answer to a Range request (RFC 9110 section 14) is the range of the file that is wanted, or its
 * beginning, and returns the validators of that file. Throws a TemporaryError when asking again may help; otherwise a
 * Failure: "fetch-failed" for a server that does not do what it must, "image-damaged" for a file that is not the image
 * (any more).
 */
export function checkPartialResponse(head: ResponseHead, wanted: Wanted): Validators {
  const { url, fromByte, lengthBytes, totalBytes } = wanted;
  const text = (name: string): string | undefined => {
    const value = head.headers[name];
    return Array.isArray(value) ? value[0] : value;
  };
  const found: Validators = { etag: text("etag"), lastModified: text("last-modified") };
  const { statusCode } = head;

  if (statusCode === 408 || statusCode === 425 || statusCode === 429 || statusCode >= 500) {
    throw new TemporaryError(`the server answered ${statusCode}`);
  }
  if ((statusCode === 200 || statusCode === 206) && isAnother(found, wanted.validators)) throw changed(url, fromByte);
  if (statusCode === 416) {
    throw new Failure("image-damaged", `${url} has no byte ${fromByte}: it is shorter than the image`, {
      expected: `${totalBytes} bytes`,
      found: cutText(text("content-range") ?? "unknown", 80),
    });
  }
  if (statusCode === 200) {
    throw failed(`the server of ${url} answers Range requests with the whole file; it must answer 206 Partial Content`);
  }
  if (statusCode !== 206) throw failed(`the server answered ${statusCode} for ${url}`);

  const encoding = text("content-encoding");
  if (encoding !== undefined && encoding !== "identity") {
    throw failed(
      `the server of ${url} sent it with the content encoding ${cutText(encoding, 80)}, which was not requested`,
    );
  }
  const range = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(text("content-range") ?? "");
  if (range === null) {
    throw failed(
      `the server of ${url} answered 206 without a usable Content-Range: ${cutText(text("content-range") ?? "none", 80)}`,
    );
  }
  const [first, last] = [Number(range[1]), Number(range[2])];
  if (range[3] !== "*" && Number(range[3]) !== totalBytes) {
    throw new Failure("image-damaged", `${url} is not the image: its length differs`, {
      expected: `${totalBytes} bytes`,
      found: `${cutText(range[3] ?? "", 80)} bytes`,
    });
  }
  const lastByte = fromByte + lengthBytes - 1;
  if (first !== fromByte || last < first || last > lastByte) {
    throw failed(`the server of ${url} sent bytes ${first} to ${last} when asked for ${fromByte} to ${lastByte}`);
  }
  return found;
}

/**
 * The validator to send as If-Range, so that a server whose file has changed says so. A weak one must not be sent
 * (RFC 9110 section 13.1.5); against those the answer is compared instead.
 */
export function ifRange({ etag }: Validators): string | undefined {
  return etag?.startsWith('"') ? etag : undefined;
}

function isAnother(found: Validators, before: Validators | undefined): boolean {
  if (before === undefined) return false;
  return (["etag", "lastModified"] as const).some(
    (key) => before[key] !== undefined && found[key] !== undefined && before[key] !== found[key],
  );
}

function changed(url: string, fromByte: number): Failure {
  return new Failure(
    "image-damaged",
    `${url} was replaced on the server while it was being fetched (at byte ${fromByte})`,
  );
}

function failed(message: string): Failure {
  return new Failure("fetch-failed", message);
}
