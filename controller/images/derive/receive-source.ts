import { mkdir } from "node:fs/promises";
import { Failure } from "../../../proto/failure.ts";
import { assertRequirements } from "../../requirements/assert-requirements.ts";
import { decompress } from "../formats/decompress.ts";
import { assertUncompressed, detectFormat } from "../formats/detect-format.ts";
import { peek } from "../formats/peek.ts";
import { writeRawFile } from "../import/write-raw-file.ts";
import { openForeignSpace } from "./foreign-space.ts";
import { planImagesDerive } from "./plan-requirements.ts";

/** What was received: a raw image in a file, or the tree of a root filesystem in a folder. */
export type Received = { readonly kind: "image" | "tree"; readonly path: string };

/**
 * Takes in the new content: an image of a disk, or a tar archive of a root filesystem, either plain or compressed with
 * gzip, xz, zstd or ZIP; its first bytes decide. `path` must not exist yet. Throws Failure `image-damaged`, `unsupported`,
 * `cancelled`; errors of the source come through.
 */
export async function receiveSource(
  source: AsyncIterable<Uint8Array>,
  path: string,
  signal: AbortSignal,
): Promise<Received> {
  return peek(source, async (file) => {
    const format = isTar(file.firstBytes) ? "raw" : detectFormat(file.firstBytes);
    // Before the rest of the file is received.
    await assertRequirements(planImagesDerive({ formats: [format] }), { canInstall: true });
    if (isTar(file.firstBytes)) return unpackTree(file.all, path, signal);
    return peek(decompress(file.all, format, signal), async (raw): Promise<Received> => {
      if (isTar(raw.firstBytes)) return unpackTree(raw.all, path, signal);
      assertUncompressed(raw.firstBytes);
      await writeRawFile(path, raw.all);
      return { kind: "image", path };
    });
  });
}

/** POSIX.1-1988 and GNU archives alike have this in their first header. */
function isTar(firstBytes: Buffer): boolean {
  return firstBytes.toString("latin1", 257, 262) === "ustar";
}

/**
 * GNU tar lets nothing in an archive reach outside of the folder: it takes off what leads there from names and targets
 * of hard links, and makes symbolic links that lead there last. Nor is there anything outside of it: see ForeignSpace.
 */
async function unpackTree(bytes: AsyncIterable<Uint8Array>, path: string, signal: AbortSignal): Promise<Received> {
  await mkdir(path);
  const top = `${path}.space`;
  await mkdir(top);
  const space = await openForeignSpace(top, [{ path, as: "tree" }]);
  try {
    await space.runOnFiles(
      "tar",
      [
        ...["--extract", "--file=-", "--directory", "/tree", "--numeric-owner", "--same-owner", "--same-permissions"],
        ...["--xattrs", "--xattrs-include=*", "--acls", "--delay-directory-restore"],
      ],
      // tar stops reading at the end of the archive; what follows, padding, is taken in all the same.
      { signal, input: bytes },
    );
    return { kind: "tree", path };
  } catch (error) {
    if (!(error instanceof Failure) || error.reason !== "tool-failed") throw error;
    // It has words of its own for a file of which only a part still fitted.
    const isFull = /No space left on device|Disk quota exceeded|Wrote only \d+ of \d+ bytes/.test(error.message);
    throw new Failure("image-damaged", `the archive cannot be unpacked: ${error.message}`, {
      cause: isFull ? Object.assign(new Error(error.message), { code: "ENOSPC" }) : error,
    });
  } finally {
    await space.close();
  }
}
