import { posix } from "node:path";

/** What determines where slow-to-build artefacts are kept. */
export interface CacheChoice {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The user's home folder. */
  readonly home: string;
  /** Whether this is the single-file program, not a checkout. */
  readonly installed: boolean;
}

/**
 * The folder that keeps slow-to-build artefacts, with one subfolder per kind: PALLET_CACHE; else, for the installed
 * program, part of Pallet's state; else, so that other checkouts find it, the user's cache as in the XDG Base Directory
 * Specification, which ignores a relative XDG_CACHE_HOME. scripts/cache-folder makes the same decision in shell.
 *
 * Throws an Error with a sentence for the user when PALLET_CACHE is relative: it would be another folder for every
 * program.
 */
export function chooseCache({ environment, home, installed }: CacheChoice): string {
  const given = environment["PALLET_CACHE"] ?? "";
  if (given !== "") {
    if (!posix.isAbsolute(given)) throw new Error(`PALLET_CACHE must be an absolute path, not "${given}"`);
    return given;
  }
  if (installed) return "/var/lib/pallet/cache";
  const xdg = environment["XDG_CACHE_HOME"] ?? "";
  return posix.join(posix.isAbsolute(xdg) ? xdg : posix.join(home, ".cache"), "pallet");
}
