import { createHash } from "node:crypto";
import { Failure } from "../../../proto/failure.ts";
import type { UploadSource } from "./upload-source.ts";

/**
 * The same file, of which nothing is made unless it has this digest: its bytes end with a Failure `image-damaged`
 * otherwise, before the controller gets their end.
 *
 * @param sha256 lower-case hexadecimal
 * @param shown the file, for messages
 */
export function vouchedUpload(source: UploadSource, sha256: string, shown: string): UploadSource {
  const bytes = async function* (): AsyncGenerator<Uint8Array> {
    const hash = createHash("sha256");
    for await (const part of source.bytes) {
      hash.update(part);
      yield part;
    }
    const found = hash.digest("hex");
    if (found === sha256) return;
    throw new Failure(
      "image-damaged",
      `${shown} has another SHA-256 than was given for it, so nothing was made of it: it is damaged or another file, or ` +
        "whoever gave the digest has an old one",
      { expected: sha256, found },
    );
  };
  // It has to be read here, so it is also sent from here.
  const { descriptor: _, ...rest } = source;
  return { ...rest, bytes: bytes() };
}
