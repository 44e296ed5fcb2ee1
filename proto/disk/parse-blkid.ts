import type { BlockDevice } from "./block-device.ts";

/** What blkid(8) found on a device itself. */
export type ProbedContent = Pick<
  BlockDevice,
  "partitionTable" | "partitionTableUuid" | "partitionUuid" | "partitionLabel" | "filesystemType" | "label" | "uuid"
>;

/**
 * Exit codes of `blkid --probe` that are answers: nothing that it knows; several signatures, which is as good as none.
 */
export const blkidNothingFound = 2;
export const blkidAmbivalent = 8;

/** Arguments of blkid(8) that make it look at the content, of a device or an image file, or of a part of it. */
export function renderBlkidArguments(
  path: string,
  part?: { readonly offsetBytes: number; readonly lengthBytes: number },
): readonly string[] {
  const where = part === undefined ? [] : ["--offset", `${part.offsetBytes}`, "--size", `${part.lengthBytes}`];
  return ["--probe", ...where, "--output", "export", "--", path];
}

/**
 * Parses what blkid(8) prints then: lines of KEY=value, in which it puts a backslash before what a shell would
 * interpret, and writes bytes that are not ASCII as M-x and control characters as ^X (vis(3)). Values come from the
 * card or the image and end up on terminals: what is not printable becomes "?".
 */
export function parseBlkid(output: string): ProbedContent {
  const tags = new Map(
    output
      .split("\n")
      .map((line) => /^([A-Z0-9_]+)=(.*)$/.exec(line))
      .filter((match) => match !== null)
      .map(([, key = "", value = ""]) => [key, withoutEscapes(value).replaceAll(/\p{C}/gu, "?").trim()]),
  );
  const tag = (key: string) => tags.get(key) ?? "";
  return {
    partitionTable: tag("PTTYPE"),
    partitionTableUuid: tag("PTUUID"),
    partitionUuid: tag("PART_ENTRY_UUID"),
    partitionLabel: tag("PART_ENTRY_NAME"),
    filesystemType: tag("TYPE"),
    label: tag("LABEL"),
    uuid: tag("UUID"),
  };
}

/**
 * Undoes blkid's escapes. Control characters stay as ^X: nobody wants them on a terminal. "M-" may also stand in the
 * label itself, so it is taken for an escape only when the bytes that it yields are UTF-8.
 */
function withoutEscapes(value: string): string {
  const bytes: number[] = [];
  const tokens = /M-\\(.)|M-\^(.)|M-(.)|\\(.)|(.)/gs;
  for (const [, escapedHigh, controlHigh, high, escaped, plain] of value.matchAll(tokens)) {
    const shifted = escapedHigh ?? high;
    if (shifted !== undefined) bytes.push(code(shifted) | 0x80);
    else if (controlHigh !== undefined) bytes.push((code(controlHigh) ^ 0x40) | 0x80);
    else bytes.push(...Buffer.from(escaped ?? plain ?? ""));
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(bytes));
  } catch {
    return value.replaceAll(/\\(.)/g, "$1");
  }
}

function code(character: string): number {
  return character.charCodeAt(0) & 0xff;
}
