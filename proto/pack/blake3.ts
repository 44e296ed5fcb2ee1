import { Failure } from "../failure.ts";
import { type Blake3Addon, loadBlake3Addon } from "./blake3-addon.ts";

let addon: Blake3Addon | undefined;

/**
 * BLAKE3 (256 bits, default mode; the BLAKE3 paper of 2021-11-05, section 2) of some bytes. Of the cryptographic
 * digests it is the one that costs little on a CPU without SHA instructions, as those of a Pi 3 and 4 are. Takes its
 * native code in at the first call, so that who only reports never does. Throws Failure `unsupported` on a machine
 * without it.
 */
export function blake3(bytes: Uint8Array): Buffer {
  if (addon === undefined) {
    try {
      addon = loadBlake3Addon();
    } catch (cause) {
      throw new Failure(
        "unsupported",
        `cannot load the native code that checks images (it needs Linux on x64 or arm64 with glibc): ` +
          (cause instanceof Error ? cause.message : String(cause)),
        { cause },
      );
    }
  }
  return addon.blake3(bytes);
}
