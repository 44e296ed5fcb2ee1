import type { NodeId } from "../../proto/names/node-id.ts";
import { parseMacAddress } from "../../proto/names/node-id.ts";
import { type ImageDigest, parseImageDigest } from "../../proto/pack/digest.ts";
import { parseBoardPath, segmentsOf } from "../nodes/parse-board-path.ts";
import type { RootId } from "../roots/root-id.ts";
import { parseBootPathOfRoot } from "../roots/root-paths.ts";

/** The meaning of a path that a booting machine asks for. */
export type BootPath =
  /** The boot config of one node: pxelinux.cfg/01-MAC. */
  | { readonly kind: "node-config"; readonly mac: NodeId }
  /** A config that is not one node's: what U-Boot tries before and after the one that it will get. */
  | { readonly kind: "no-config"; readonly form: "uuid" | "address" | "default" | "unknown" }
  /** A file that belongs to an image: images/DIGEST/FILE. */
  | { readonly kind: "image-file"; readonly digest: ImageDigest; readonly file: string }
  /** A file that belongs to a version of the root filesystem: agent/VERSION/FILE; `file` is the one in its folder. */
  | { readonly kind: "root-file"; readonly id: RootId; readonly file: string }
  /** A file of the static boot tree, at the first of these relative paths that exists. */
  | { readonly kind: "file"; readonly candidates: readonly [string, ...string[]] }
  /** Nothing that can be served. */
  | { readonly kind: "refused"; readonly reason: string };

const maxPathCharacters = 512;

/**
 * Reads a path as firmware and boot loaders send it: with a leading slash or several, with "./", with the backslashes
 * of a DOS, and in a folder named after the board (its serial number's last eight digits, or its MAC address:
 * TFTP_PREFIX of the Raspberry Pi bootloader), which need not exist: then the file is the one that all boards share.
 *
 * The names below pxelinux.cfg/ are those of PXELINUX (wiki.syslinux.org/wiki/index.php?title=PXELINUX#Configuration)
 * in the order in which U-Boot asks for them (cmd/pxe.c): UUID, 01-MAC, the IP address in hexadecimal with one digit
 * less each time, default-ARCH-SOC, default-ARCH, default. The folder may follow that of DHCP's boot file name.
 */
export function parseBootPath(request: string): BootPath {
  const problem = problemOf(request);
  if (problem !== undefined) return { kind: "refused", reason: problem };
  const segments = segmentsOf(request);

  const folder = segments.at(-2);
  const name = segments.at(-1);
  if (folder === "pxelinux.cfg" && name !== undefined) return parseConfigName(name);

  const { board, segments: shared } = parseBoardPath(request);
  const imageFile = parseImageFile(shared);
  if (imageFile !== undefined) return imageFile;
  const rootFile = parseBootPathOfRoot(shared);
  if (rootFile !== undefined) return { kind: "root-file", ...rootFile };
  const asked = segments.join("/");
  return { kind: "file", candidates: board === undefined ? [asked] : [asked, shared.join("/")] };
}

/** Why this path can never be served. */
function problemOf(request: string): string | undefined {
  if (request.length > maxPathCharacters) return `the path is longer than ${maxPathCharacters} characters`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\x00-\x1f\x7f]/.test(request)) return "the path contains a control character";
  const segments = segmentsOf(request);
  if (segments.includes("..")) return "the path leaves the boot tree";
  return segments.length === 0 ? "the path names no file" : undefined;
}

function parseConfigName(name: string): BootPath {
  const lower = name.toLowerCase();
  if (lower.startsWith("01-")) {
    const mac = parseMacAddress(lower.slice(3));
    return mac === undefined ? { kind: "no-config", form: "unknown" } : { kind: "node-config", mac };
  }
  if (/^default(-|$)/.test(lower)) return { kind: "no-config", form: "default" };
  if (/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(lower))
    return { kind: "no-config", form: "uuid" };
  if (/^[0-9a-f]{1,8}$/.test(lower)) return { kind: "no-config", form: "address" };
  return { kind: "no-config", form: "unknown" };
}

function parseImageFile([folder, name = "", ...file]: readonly string[]): BootPath | undefined {
  const digest = parseImageDigest(name);
  if (folder !== "images" || digest === undefined || file.length === 0) return undefined;
  return { kind: "image-file", digest, file: file.join("/") };
}
