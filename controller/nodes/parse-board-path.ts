import { type NodeId, parseMacAddress } from "../../proto/names/node-id.ts";

/** How firmware names its board: by its MAC address, or the last eight digits of its serial number. */
export type Board = { readonly mac: NodeId } | { readonly serial: string };

/** A path as a board asks for it, taken apart. */
export interface BoardPath {
  /** Absent when the path does not begin with a board's own folder. */
  readonly board?: Board;
  /** The names between the slashes, from the top of the boot tree that all boards share. */
  readonly segments: readonly string[];
}

/** Folder, within the board's own or not, of the files that belong to one boot: pallet/KEY/…. */
export const bootFolder = "pallet";

/**
 * Reads a path as firmware and boot loaders send it: with a leading slash or several, with "./", with the backslashes
 * of a DOS, and in a folder named after the board: TFTP_PREFIX in the Raspberry Pi documentation, "Raspberry Pi boot
 * EEPROM".
 */
export function parseBoardPath(path: string): BoardPath {
  const segments = segmentsOf(path);
  const [first = "", ...rest] = segments;
  const board = rest.length > 0 ? boardOfFolder(first) : undefined;
  return board === undefined ? { segments } : { board, segments: rest };
}

/** The names between the slashes, including "..", so that file servers can refuse it. */
export function segmentsOf(path: string): readonly string[] {
  return path
    .replaceAll("\\", "/")
    .split("/")
    .filter((segment) => segment !== "" && segment !== ".");
}

/**
 * Whether the text can be the key of a boot (controller/boot/render-firmware-config.ts makes it), as in
 * pallet/KEY/kernel.
 */
export function isBootKey(text: string): boolean {
  return /^[0-9a-f]{12}$/.test(text);
}

function boardOfFolder(name: string): Board | undefined {
  if (/^[0-9a-f]{8}$/i.test(name)) return { serial: name.toLowerCase() };
  const mac = /^[0-9a-f]{2}(-[0-9a-f]{2}){5}$/i.test(name) ? parseMacAddress(name) : undefined;
  return mac && { mac };
}
