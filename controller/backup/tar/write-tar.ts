import { createHash } from "node:crypto";
import { Failure } from "../../../proto/failure.ts";
import { paddingAfter, renderTarHeader, tarBlockBytes } from "./tar-header.ts";

/** A file to put into an archive. */
export interface TarMember {
  readonly name: string;
  readonly sizeBytes: number;
  /** Exactly so many bytes. */
  content(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/**
 * The bytes of an archive, and as its last file the SHA-256 of each of the others as sha256sum(1) writes and checks them.
 * Throws a Failure when a content has another size than was said.
 *
 * @param sumsName name of that last file
 * @param modifiedAt of all files, in seconds since the epoch
 */
export async function* writeTar(
  members: AsyncIterable<TarMember> | Iterable<TarMember>,
  { sumsName, modifiedAt }: { readonly sumsName: string; readonly modifiedAt: number },
): AsyncGenerator<Uint8Array> {
  const sums: string[] = [];
  for await (const { name, sizeBytes, content } of members) {
    yield renderTarHeader({ name, sizeBytes, modifiedAt });
    const hash = createHash("sha256");
    let written = 0;
    for await (const piece of content()) {
      written += piece.length;
      if (written > sizeBytes) break;
      hash.update(piece);
      yield piece;
    }
    if (written !== sizeBytes) throw new Failure("invalid", `${name} changed while it was read; try again`);
    yield Buffer.alloc(paddingAfter(sizeBytes));
    sums.push(`${hash.digest("hex")}  ${name}\n`);
  }
  const text = Buffer.from(sums.join(""));
  yield renderTarHeader({ name: sumsName, sizeBytes: text.length, modifiedAt });
  yield text;
  yield Buffer.alloc(paddingAfter(text.length) + 2 * tarBlockBytes);
}
