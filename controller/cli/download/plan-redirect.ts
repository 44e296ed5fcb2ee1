import { Failure } from "../../../proto/failure.ts";
import { limits } from "../../../proto/limits.ts";
import { type AnswerHead, fieldOf } from "./answer-head.ts";
import { parseWebAddress, shownAddress } from "./parse-web-address.ts";

const most = limits.downloads.redirects.most;

/**
 * Where an answer sends us (RFC 9110 section 15.4); undefined if it is no redirect. Throws Failure `fetch-failed` for one
 * that must not be followed: from https to http, to an address with credentials, or after too many.
 *
 * @param followed how many were followed already
 */
export function planRedirect(head: AnswerHead, from: URL, followed: number): URL | undefined {
  if (![301, 302, 303, 307, 308].includes(head.statusCode)) return undefined;
  const refused = (why: string, cause?: unknown) =>
    new Failure("fetch-failed", `${shownAddress(from)} redirects ${why}`, { cause });
  const location = fieldOf(head, "location");
  if (location === undefined || !URL.canParse(location, from.href))
    throw refused("without saying where to: give the address of the file itself");
  if (followed >= most) throw refused(`in circles, or more than ${most} times: give the address of the file itself`);
  const { href, protocol } = new URL(location, from.href);
  if (!/^https?:$/.test(protocol))
    throw refused("to what is neither http nor https: give the address of the file itself");
  let to: URL;
  try {
    to = parseWebAddress(href);
  } catch (cause) {
    throw refused(
      "to an address with credentials, or one that is too long: give the address of the file itself",
      cause,
    );
  }
  if (from.protocol === "https:" && to.protocol === "http:")
    throw refused(
      `from https to http, ${shownAddress(to)}, where anybody on the way can change what comes: give another address`,
    );
  return to;
}
