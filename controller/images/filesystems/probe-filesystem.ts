import type { ProbedContent } from "../../../proto/disk/parse-blkid.ts";
import {
  blkidAmbivalent,
  blkidNothingFound,
  parseBlkid,
  renderBlkidArguments,
} from "../../../proto/disk/parse-blkid.ts";
import { Failure } from "../../../proto/failure.ts";
import { readToolOutput } from "./read-tool-output.ts";

/** Detects by content which filesystem is in a part of an image; empty strings if unknown. */
export async function probeFilesystem(
  imagePath: string,
  part: { readonly offsetBytes: number; readonly lengthBytes: number },
  signal?: AbortSignal,
): Promise<Pick<ProbedContent, "filesystemType" | "label" | "uuid">> {
  const args = renderBlkidArguments(imagePath, part);
  const result = await readToolOutput({ command: "blkid", args, maximumBytes: 64 * 1024, signal });
  if (![0, blkidNothingFound, blkidAmbivalent].includes(result.exitCode))
    throw new Failure("tool-failed", `blkid failed (exit code ${result.exitCode}): ${result.errors.trim()}`);
  const { filesystemType, label, uuid } = parseBlkid(result.output.toString("utf8"));
  return { filesystemType, label, uuid };
}
