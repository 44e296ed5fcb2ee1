import { Failure } from "../../../proto/failure.ts";
import { type FilesystemSignature, parseBlkid } from "./parse-blkid.ts";
import { readToolOutput } from "./read-tool-output.ts";

/** blkid(8): "the specified token was not found", that is: nothing is known about the content. */
const nothingFound = 2;

/** Tells by content which filesystem lies in a part of an image; empty strings when nothing is known. */
export async function probeFilesystem(
  imagePath: string,
  part: { readonly offsetBytes: number; readonly lengthBytes: number },
  signal?: AbortSignal,
): Promise<FilesystemSignature> {
  const where = ["--offset", `${part.offsetBytes}`, "--size", `${part.lengthBytes}`];
  const args = ["--probe", ...where, "--output", "export", imagePath];
  const result = await readToolOutput({ command: "blkid", args, maximumBytes: 64 * 1024, signal });
  if (result.exitCode !== 0 && result.exitCode !== nothingFound) {
    // 8 is "ambivalent": signatures of several filesystems, which is as good as none.
    if (result.exitCode === 8) return { type: "", label: "", uuid: "" };
    throw new Failure("tool-failed", `blkid failed (exit code ${result.exitCode}): ${result.errors.trim()}`);
  }
  return parseBlkid(result.output.toString("utf8"));
}
