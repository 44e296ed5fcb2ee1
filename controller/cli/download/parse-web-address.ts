import { cutText } from "../../../proto/cut-text.ts";
import { Failure } from "../../../proto/failure.ts";
import { limits } from "../../../proto/limits.ts";

const mostCharacters = limits.downloads.addressCharacters.most;

/** Whether a text is meant as an http or https address, and not as the name of a file. */
export function isWebAddress(text: string): boolean {
  return /^https?:\/\//i.test(text);
}

/**
 * An address that may be fetched. Throws Failure `invalid`, which never repeats what could be a password: for one that
 * is malformed, of another scheme, too long, or with credentials, which RFC 9110 section 4.2.4 deprecates.
 */
export function parseWebAddress(text: string): URL {
  if (text.length > mostCharacters)
    throw new Failure("invalid", `an address has ${text.length} characters; the most is ${mostCharacters}`);
  if (!isWebAddress(text) || !URL.canParse(text))
    throw new Failure("invalid", `"${withoutSecrets(text)}" is no address of a file: give http://… or https://…`);
  const url = new URL(text);
  if (url.username !== "" || url.password !== "")
    throw new Failure(
      "invalid",
      `${shownAddress(url)} was given with credentials, which process lists and logs would show: leave them out, and ` +
        "fetch it with a program that reads them from a file: curl --netrc -fL URL | controller images add - --name NAME",
    );
  return url;
}

/** An address for a person: without user, password and fragment, and without its query, which may be a signature. */
export function shownAddress({ origin, pathname, search }: URL): string {
  return cutText(`${origin}${pathname}${search === "" ? "" : "?…"}`, 300);
}

/** What may be shown of a text that is no address. */
function withoutSecrets(text: string): string {
  return cutText(text.replace(/[?#].*$/s, "").replace(/\/\/.*@/s, "//"), 100);
}
