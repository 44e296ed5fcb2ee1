import type { Location } from "../download/location.ts";

/**
 * An image in a list of Raspberry Pi Imager (os_list, version 4): github.com/raspberrypi/rpi-imager,
 * doc/json-schema/os-list-schema.json and src/oslistmodel.cpp.
 */
export interface OsEntry {
  readonly name: string;
  /** The names of the entries that it is in, from the top. */
  readonly within: readonly string[];
  readonly description: string;
  /** As the list has it. */
  readonly url: string;
  /** SHA-256 of the file, in lower-case hexadecimal. */
  readonly downloadSha256: string | undefined;
  readonly downloadBytes: number | undefined;
  /** SHA-256 of the uncompressed image, in lower-case hexadecimal. */
  readonly extractSha256: string | undefined;
  readonly extractBytes: number | undefined;
  readonly bmapUrl: string | undefined;
  /** Words of Imager for boards, for example "pi5-64bit". */
  readonly devices: readonly string[];
  /** How Imager customises it: "systemd", "cloudinit", "cloudinit-rpi" or "none". */
  readonly initFormat: string | undefined;
  /** "2025-10-01". */
  readonly releaseDate: string | undefined;
}

/** What a list has at one place: an image, or another list. */
export type OsItem =
  | { readonly kind: "image"; readonly entry: OsEntry }
  | { readonly kind: "list"; readonly within: readonly string[]; readonly reference: string };

/** An entry that cannot be used. */
export interface OsProblem {
  /** Its name, where it has one that can be shown. */
  readonly name: string | undefined;
  /** What is wrong with it: a sentence without its full stop. */
  readonly text: string;
}

/** What stands in one list, in its order. */
export interface OsList {
  readonly items: readonly OsItem[];
  readonly problems: readonly OsProblem[];
}

/** An image, and the list that it stands in, to which its addresses may be relative. */
export interface FoundEntry extends OsEntry {
  readonly list: Location;
}

/** All images that a list leads to. */
export interface Catalogue {
  readonly entries: readonly FoundEntry[];
  readonly problems: readonly OsProblem[];
}

/** The names on the way to an image and its own: "Other / Debian 13 (64-bit)". */
export function pathOf({ within, name }: Pick<OsEntry, "within" | "name">): string {
  return [...within, name].join(" / ");
}
