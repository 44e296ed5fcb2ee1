import { mkdir } from "node:fs/promises";
import { Failure } from "../../../proto/failure.ts";
import { execa } from "../../../proto/linux/leashed-execa.ts";
import { assertRequirements } from "../../requirements/assert-requirements.ts";
import { decompress } from "../formats/decompress.ts";
import { assertUncompressed, detectFormat } from "../formats/detect-format.ts";
import { peek } from "../formats/peek.ts";
import { writeRawFile } from "../import/write-raw-file.ts";
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
  const file = await peek(source);
  const format = isTar(file.firstBytes) ? "raw" : detectFormat(file.firstBytes);
  // Before the rest of the file is received.
  await assertRequirements(planImagesDerive({ formats: [format] }), { canInstall: true });
  if (isTar(file.firstBytes)) return unpackTree(file.all, path, signal);
  const raw = await peek(decompress(file.all, format, signal));
  if (isTar(raw.firstBytes)) return unpackTree(raw.all, path, signal);
  assertUncompressed(raw.firstBytes);
  await writeRawFile(path, raw.all);
  return { kind: "image", path };
}

/** POSIX.1-1988 and GNU archives alike have this in their first header. */
function isTar(firstBytes: Buffer): boolean {
  return firstBytes.toString("latin1", 257, 262) === "ustar";
}

/**
 * GNU tar lets nothing in an archive reach outside of the folder: it takes off what leads there from names and targets
 * of hard links, and makes symbolic links that lead there last.
 */
async function unpackTree(bytes: AsyncIterable<Uint8Array>, path: string, signal: AbortSignal): Promise<Received> {
  await mkdir(path);
  const child = execa(
    "tar",
    [
      ...["--extract", "--file=-", "--directory", path, "--numeric-owner", "--same-owner", "--same-permissions"],
      ...["--xattrs", "--xattrs-include=*", "--acls", "--delay-directory-restore"],
    ],
    { stdin: "pipe", env: { LC_ALL: "C.UTF-8" }, reject: false, cancelSignal: signal, maxBuffer: 1 << 20 },
  );
  let isOpen = true;
  child.stdin.on("error", () => {
    isOpen = false;
  });
  try {
    // tar stops reading at the end of the archive; what follows, padding, is taken in all the same.
    for await (const chunk of bytes) {
      if (isOpen && !child.stdin.write(chunk)) await drained(child.stdin);
    }
  } finally {
    child.stdin.end();
    if (signal.aborted) child.kill();
  }
  const result = await child;
  if (result.isCanceled) throw new Failure("cancelled", "unpacking was cancelled");
  if (result.exitCode === 0) return { kind: "tree", path };
  const said = result.stderr.trim().split("\n").slice(0, 3).join("; ").replaceAll(/\p{C}/gu, "?");
  const isFull = /No space left on device/.test(result.stderr);
  throw new Failure("image-damaged", `the archive cannot be unpacked: ${said || result.shortMessage}`, {
    cause: isFull ? Object.assign(new Error(said), { code: "ENOSPC" }) : result,
  });
}

/** Resolves when more can be written, or when nothing can be written any more. */
function drained(stream: NodeJS.WritableStream): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      for (const event of ["drain", "close", "error"]) stream.removeListener(event, done);
      resolve();
    };
    for (const event of ["drain", "close", "error"]) stream.once(event, done);
  });
}
