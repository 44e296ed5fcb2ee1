import type { BlockDevice } from "../../proto/disk/block-device.ts";

/** What blkid(8) found on a device itself. */
export type ProbedContent = Pick<
  BlockDevice,
  "partitionTable" | "partitionTableUuid" | "partitionUuid" | "filesystemType" | "label" | "uuid"
>;

/**
 * Parses `blkid --probe --output export DEVICE`: lines of KEY=value, in which blkid puts a backslash before what a shell
 * would interpret, and writes bytes that are not ASCII as M-x and control characters as ^X (vis(3)).
 */
export function parseBlkid(output: string): ProbedContent {
  const tags = new Map(
    output
      .split("\n")
      .map((line) => /^([A-Z0-9_]+)=(.*)$/.exec(line))
      .filter((match) => match !== null)
      .map(([, key = "", value = ""]) => [key, withoutEscapes(value)]),
  );
  const tag = (key: string) => tags.get(key) ?? "";
  return {
    partitionTable: tag("PTTYPE"),
    partitionTableUuid: tag("PTUUID"),
    partitionUuid: tag("PART_ENTRY_UUID"),
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
