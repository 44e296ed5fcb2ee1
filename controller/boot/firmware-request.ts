import type { NodeId } from "../../proto/node-id.ts";
import { parseMacAddress } from "../../proto/node-id.ts";
import { firmwareFolder } from "./render-firmware-config.ts";

/** By what the firmware names its board: its MAC address, or the last eight digits of its serial number; or not at all. */
export type Board = { readonly mac: NodeId } | { readonly serial: string } | undefined;

/** A file that depends on the node and its boot target, where the firmware boots without U-Boot. */
export type FirmwareRequest =
  | { readonly kind: "config"; readonly board: Board }
  | { readonly kind: "command-line"; readonly board: Board }
  /** A file of the boot with this key; `file` is a name or a path below it. */
  | { readonly kind: "boot-file"; readonly board: Board; readonly key: string; readonly file: string };

/**
 * Reads the paths of a request (the one that was asked for first, the one without the board's folder last) as one for a
 * file that is not the same for every node; undefined for all others.
 */
export function parseFirmwareRequest(candidates: readonly [string, ...string[]]): FirmwareRequest | undefined {
  const path = candidates.at(-1) ?? "";
  const board = candidates.length > 1 ? boardOf(candidates[0].split("/", 1)[0] ?? "") : undefined;
  const name = path.toLowerCase();
  if (name === "config.txt") return { kind: "config", board };
  if (name === "cmdline.txt") return { kind: "command-line", board };
  const [folder, key, ...rest] = path.split("/");
  if (folder !== firmwareFolder || key === undefined || !/^[0-9a-f]{12}$/.test(key) || rest.length === 0)
    return undefined;
  return { kind: "boot-file", board, key, file: rest.join("/") };
}

function boardOf(folder: string): Board {
  const mac = parseMacAddress(folder);
  if (mac !== undefined) return { mac };
  return /^[0-9a-f]{8}$/i.test(folder) ? { serial: folder.toLowerCase() } : undefined;
}
