import { createHash } from "node:crypto";
import { Failure } from "../../proto/failure.ts";
import { bootFolder } from "../nodes/parse-board-path.ts";
import type { BootSpec } from "./boot-spec.ts";
import { assertRenderable } from "./render-pxelinux.ts";

/**
 * The key of a boot, for `bootFolder`. It stands for all that the boot loads: a node that fetched its config.txt before
 * its boot target changed finds nothing under the old key and starts again, instead of mixing the kernel of one boot
 * with the command line of another.
 */
export function firmwareKey(spec: BootSpec): string {
  const { label, kernel, initrd = "", deviceTree = "", commandLine, firmware } = spec;
  return createHash("sha256")
    .update(JSON.stringify([label, kernel, initrd, deviceTree, commandLine, ...(firmware ? [firmware] : [])]))
    .digest("hex")
    .slice(0, 12);
}

/** Longest line that the firmware reads: it ignores the rest ("line length limit" of its documentation). */
const maxLineCharacters = 98;

/**
 * Adds a section to a config.txt by which the firmware itself boots what the spec says, without U-Boot. It wins over
 * what stands before it.
 *
 * The names of files are short aliases in the node's folder, as a line is: the firmware puts `os_prefix` before those
 * of the kernel, the initrd, cmdline.txt and the device tree (raspberrypi.com/documentation/computers/config_txt.html).
 *
 * @param filter which boards the section is for: those where U-Boot has no Ethernet, or all
 */
export function renderFirmwareConfig(base: string, spec: BootSpec, filter: "pi5" | "all"): string {
  return renderFirmwareSection(base, spec, filter, { initrds: spec.initrd === undefined ? [] : ["initrd"] });
}

/** As `renderFirmwareConfig`, with what an image needs besides: the mode of its kernel, and several initrds. */
export function renderFirmwareSection(
  base: string,
  spec: BootSpec,
  filter: "pi5" | "all",
  { bits, initrds }: { readonly bits?: 32 | 64; readonly initrds: readonly string[] },
): string {
  assertRenderable(spec);
  const lines = [
    "",
    `# Rendered by Pallet for this node, boot target ${spec.label}.`,
    `[${filter}]`,
    // The bootloader looks for a mark in the kernel that only Raspberry Pi's own kernels have.
    "os_check=0",
    ...(bits === undefined ? [] : [`arm_64bit=${bits === 64 ? 1 : 0}`]),
    `os_prefix=${bootFolder}/${firmwareKey(spec)}/`,
    "kernel=kernel",
    ...(initrds.length === 0 ? [] : [`initramfs ${initrds.join(",")} followkernel`]),
    "[all]",
  ];
  for (const line of lines)
    if (line.length > maxLineCharacters) throw new Failure("internal", `a line of config.txt is too long: ${line}`);
  return `${base}${base === "" || base.endsWith("\n") ? "" : "\n"}${lines.join("\n")}\n`;
}

/**
 * Renders cmdline.txt: one line. The firmware adds words of its own before it, for example the board's serial number.
 *
 * Throws Failure "invalid" naming the word that would not arrive as it is.
 */
export function renderCommandLine(spec: BootSpec): string {
  assertRenderable(spec);
  return `${spec.commandLine.join(" ")}\n`;
}
