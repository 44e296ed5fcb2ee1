import { Failure } from "../../proto/failure.ts";
import type { ResponseHead } from "./check-partial-response.ts";

/** Maximum length of an answer's header, in bytes. */
export const maxHeadBytes = 16 * 1024;

/** The header of an answer, and its length including the empty line. */
export interface ParsedHead {
  readonly head: ResponseHead;
  readonly lengthBytes: number;
}

/**
 * Reads the head of an HTTP/1.1 answer (RFC 9112 sections 2 to 5) from the bytes that have come so far; undefined while
 * it is not complete. Header names become lower case; of repeated ones all values are kept. Throws a Failure
 * "fetch-failed" that says what is wrong: such a server is not one of Pallet's.
 */
export function parseResponseHead(bytes: Buffer): ParsedHead | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0 || end > maxHeadBytes) {
    if (bytes.length > maxHeadBytes) throw malformed(`the header of its response is longer than ${maxHeadBytes} bytes`);
    return undefined;
  }
  const [statusLine = "", ...lines] = bytes.toString("latin1", 0, end).split("\r\n");
  const status = /^HTTP\/1\.1 ([1-9]\d\d)(?: |$)/.exec(statusLine);
  if (status === null) throw malformed(`its response starts with ${quoted(statusLine)}, which is not HTTP/1.1`);
  const headers: Record<string, string | string[]> = Object.create(null) as Record<string, string | string[]>;
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(0, colon));
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) || /[\0\r\n]/.test(line))
      throw malformed(`its response contains ${quoted(line)}, which is not a header field`);
    const value = withoutOuterSpace(line.slice(colon + 1));
    const key = name.toLowerCase();
    const before = headers[key];
    if (before === undefined) headers[key] = value;
    else if (typeof before === "string") headers[key] = [before, value];
    else before.push(value);
  }
  return { head: { statusCode: Number(status[1]), headers }, lengthBytes: end + 4 };
}

/**
 * How many bytes of body follow the head (RFC 9112 section 6.3). Throws a Failure "fetch-failed" when it is not said by
 * exactly one Content-Length: a file has a length, and nobody has asked for it in another form.
 */
export function readContentLength({ headers }: ResponseHead): number {
  const { "transfer-encoding": coding, "content-length": length } = headers;
  if (coding !== undefined) throw malformed(`its response uses the transfer coding ${quoted(String(coding))}`);
  if (typeof length !== "string" || !/^\d{1,15}$/.test(length)) {
    throw malformed(`its response has no usable Content-Length: ${quoted(String(length))}`);
  }
  return Number(length);
}

/**
 * Without the optional white space of RFC 9110 section 5.6.3 at both ends. By hand: an expression that looks for it at the
 * end tries again from every space, which was minutes for a head of nothing else.
 */
function withoutOuterSpace(text: string): string {
  const isSpace = (at: number): boolean => text[at] === " " || text[at] === "\t";
  let start = 0;
  let end = text.length;
  while (start < end && isSpace(start)) start += 1;
  while (end > start && isSpace(end - 1)) end -= 1;
  return text.slice(start, end);
}

function malformed(finding: string): Failure {
  return new Failure("fetch-failed", `the server does not speak HTTP/1.1 as an image server must: ${finding}`);
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
