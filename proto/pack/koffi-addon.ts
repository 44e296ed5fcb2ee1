import { createRequire } from "node:module";
import process from "node:process";

/** What Koffi's native module exports of what is used here; see https://koffi.dev/. */
export interface KoffiAddon {
  /** Opens a shared library; null is the program itself with all that it is linked with. Throws when there is none. */
  load(file: string | null): KoffiLibrary;
  /** Declares a C structure, for prototypes by its name, once; its fields by their C types. */
  struct(name: string, fields: Readonly<Record<string, string>>): unknown;
  /** errno(3) as the last function that was called here left it. */
  errno(): number;
}

/** A shared library. */
export interface KoffiLibrary {
  /** A function of it by its C prototype. Throws when the library does not have it. */
  func(prototype: string): KoffiFunction;
}

/**
 * A C function. A buffer as an argument is passed as a pointer to its first byte; 64 bits come as a bigint when they
 * need it.
 */
export interface KoffiFunction {
  (...values: readonly unknown[]): unknown;
  /** Runs on a thread of libuv's pool; the last argument is called on this one with the result. */
  async(...values: readonly unknown[]): void;
}

/**
 * Loads Koffi's native module of this machine's architecture from its npm package. Only a bundle has another place for
 * it: scripts/binaries puts a module in place of this one. Throws when there is none for this machine.
 */
export function loadKoffiAddon(): KoffiAddon {
  return createRequire(import.meta.url)(`@koromix/koffi-linux-${process.arch}`) as KoffiAddon;
}
