import path from "node:path";
import { fileURLToPath } from "node:url";
import { cutText } from "../../../proto/cut-text.ts";
import { Failure, messageOf } from "../../../proto/failure.ts";
import { isWebAddress, parseWebAddress, shownAddress } from "./parse-web-address.ts";

/** Where something is to be had: on a web server, or on this machine. */
export type Location = { readonly kind: "web"; readonly url: URL } | { readonly kind: "file"; readonly path: string };

/** What an operator gave: an address or a path. Throws Failure `invalid` for an address that must not be fetched. */
export function locationOf(given: string): Location {
  if (isWebAddress(given)) return { kind: "web", url: parseWebAddress(given) };
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(given)?.[1];
  if (scheme !== undefined)
    throw new Failure(
      "invalid",
      `"${scheme}:" is neither a path nor http or https: fetch the file with another program`,
    );
  return { kind: "file", path: given };
}

/** A location for a person; without what could be a secret. */
export function shownLocation(location: Location): string {
  return location.kind === "web" ? shownAddress(location.url) : location.path;
}

/**
 * Where what a list names is to be had: an address, or one that is relative to the list's own (RFC 3986 section 5); in a
 * file also a path or a file: address of something in the folder of that file, or below. Throws Failure `invalid` for
 * anything else: a list of somebody else must not choose among the files of this machine.
 */
export function resolveReference(base: Location, reference: string): Location {
  const refused = (why: string) => new Failure("invalid", `${shownLocation(base)} names ${why}`);
  if (isWebAddress(reference)) return { kind: "web", url: parseWebAddress(reference) };
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(reference)?.[1]?.toLowerCase();
  if (base.kind === "web") {
    if (scheme !== undefined || !URL.canParse(reference, base.url.href))
      throw refused(`"${cutText(reference, 100)}", which is no address on a web server`);
    return { kind: "web", url: parseWebAddress(new URL(reference, base.url.href).href) };
  }
  if (scheme !== undefined && scheme !== "file")
    throw refused(`an address that begins with "${cutText(scheme, 40)}:", which is neither a path nor http or https`);
  const folder = path.resolve(path.dirname(base.path));
  let found: string;
  try {
    found = scheme === "file" ? fileURLToPath(reference) : path.resolve(folder, reference);
  } catch (error) {
    throw refused(`"${cutText(reference, 100)}", which is no path: ${messageOf(error)}`);
  }
  if (reference.includes("\0") || !path.resolve(found).startsWith(folder === "/" ? "/" : `${folder}/`))
    throw refused(
      `"${cutText(reference, 100)}", which is not in its folder: a list may name files there and below only`,
    );
  return { kind: "file", path: path.resolve(found) };
}
