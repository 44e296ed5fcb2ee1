import { type Board, bootFolder, isBootKey, parseBoardPath } from "../nodes/parse-board-path.ts";

/** A file that depends on the node and its boot target, where the firmware boots without U-Boot. */
export type FirmwareRequest =
  | { readonly kind: "config"; readonly board: Board | undefined }
  | { readonly kind: "command-line"; readonly board: Board | undefined }
  /** A file of the boot with this key; `file` is a name or a path below it. */
  | { readonly kind: "boot-file"; readonly board: Board | undefined; readonly key: string; readonly file: string }
  /** A file that the boot tree lacks. */
  | { readonly kind: "shared-file"; readonly board: Board | undefined; readonly file: string };

/**
 * Reads the paths of a request (the one that was asked for first, the one without the board's folder last) as one for a
 * file that is not the same for every node; undefined for all others.
 */
export function parseFirmwareRequest(candidates: readonly [string, ...string[]]): FirmwareRequest | undefined {
  const path = candidates.at(-1) ?? "";
  const { board } = parseBoardPath(candidates[0]);
  const name = path.toLowerCase();
  if (name === "config.txt") return { kind: "config", board };
  if (name === "cmdline.txt") return { kind: "command-line", board };
  const [folder, key, ...rest] = path.split("/");
  if (folder !== bootFolder || key === undefined || !isBootKey(key) || rest.length === 0) return undefined;
  return { kind: "boot-file", board, key, file: rest.join("/") };
}

/** The same paths as a request for a file that the boot tree lacks, for the image of the node may have it. */
export function sharedFileRequest(candidates: readonly [string, ...string[]]): FirmwareRequest {
  const { board } = parseBoardPath(candidates[0]);
  return { kind: "shared-file", board, file: candidates.at(-1) ?? "" };
}
