import { createRequire } from "node:module";
import process from "node:process";

/** What the native module exports of what is used here. */
export interface Blake3Addon {
  blake3(input: Uint8Array): Buffer;
}

/**
 * Loads BLAKE3's native module of this machine's architecture from its npm package. Only a bundle has another place for
 * it: scripts/binaries puts a module in place of this one. Throws when there is none for this machine.
 */
export function loadBlake3Addon(): Blake3Addon {
  return createRequire(import.meta.url)(`@napi-rs/blake-hash-linux-${process.arch}-gnu`) as Blake3Addon;
}
