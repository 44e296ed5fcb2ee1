import { posix } from "node:path";

/** What decides where things that are slow to make are kept. */
export interface CacheChoice {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The user's home folder. */
  readonly home: string;
  /** Whether this is the single-file program, not a checkout. */
  readonly installed: boolean;
}

/**
 * The folder that keeps what is slow to make, in a folder for each kind: PALLET_CACHE; else, of the installed program, a
 * part of Pallet's state; else, so that another checkout finds it again, the user's cache by the XDG Base Directory
 * Specification, which has a relative XDG_CACHE_HOME ignored. scripts/cache-folder decides the same in shell.
 *
 * Throws an Error with a sentence for the user when PALLET_CACHE is relative: it would be another folder for every program.
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
