import { Failure } from "../../proto/failure.ts";
import { assertCommandLine } from "../images/boot/assert-command-line.ts";
import type { BootSpec } from "./boot-spec.ts";

/** A menu for a person at the console, who can choose the other target before the timeout. */
export interface PxelinuxMenu {
  readonly title: string;
  /** Time to choose, at least a tenth of a second. */
  readonly timeoutMs: number;
  readonly other: BootSpec;
}

/** Longest path that U-Boot asks for (CONFIG_TFTP_FILE_NAME_MAX_LEN, 128 with its zero byte); it cuts longer ones. */
const maxPathBytes = 127;
/**
 * Renders the pxelinux.cfg file that U-Boot's parser (boot/pxe_utils.c) understands, and PXELINUX too.
 *
 * There is one label, the boot target's: when a label fails to load, U-Boot silently tries every other one. The other
 * target is added only with `menu`. U-Boot ignores PROMPT, takes TIMEOUT as tenths of a second, 0 as "at once", and
 * shows a prompt as soon as it reads MENU, which is why that word is in menus only. INITRD stands before APPEND because
 * U-Boot takes an "initrd=" of APPEND for the file to load unless it has one already.
 *
 * Throws Failure "invalid" naming the value that would not arrive as it is: see `assertRenderable`.
 */
export function renderPxelinux(spec: BootSpec, { menu }: { readonly menu?: PxelinuxMenu } = {}): string {
  const globals = [`DEFAULT ${spec.label}`, "PROMPT 0"];
  if (menu === undefined) return lines([...globals, "TIMEOUT 0", ...label(spec)]);
  if (menu.other.label === spec.label) throw unusable("label of the menu's other entry", menu.other.label, "the same");
  if (!(menu.timeoutMs >= 100)) throw unusable("menu timeout in ms", String(menu.timeoutMs), "below 100");
  assertLine("menu title", menu.title, /[^\x20-\x7e]|^[ #]|^$/);
  return lines([
    ...globals,
    `TIMEOUT ${Math.ceil(menu.timeoutMs / 100)}`,
    `MENU TITLE ${menu.title}`,
    ...label(spec),
    ...label(menu.other),
  ]);
}

/**
 * Throws Failure "invalid" naming the value that U-Boot would read as something else: a space, line break or other
 * control character would begin another word or line; "#" begins a comment or, in a kernel's path, the name of a FIT
 * configuration; "$", "'" and "\" are expanded in the command line; and what is too long is cut or refused.
 */
export function assertRenderable(spec: BootSpec): void {
  assertLine("label", spec.label, /[^a-z]/);
  assertPath("kernel", spec.kernel);
  if (spec.initrd !== undefined) assertPath("initrd", spec.initrd);
  if (spec.deviceTree !== undefined) assertPath("device tree", spec.deviceTree);
  assertCommandLine(spec.commandLine, { hasInitrd: spec.initrd !== undefined });
}

function label(spec: BootSpec): readonly string[] {
  assertRenderable(spec);
  const entries = [
    ["KERNEL", spec.kernel],
    ["INITRD", spec.initrd],
    ["FDT", spec.deviceTree],
    ["APPEND", spec.commandLine.length > 0 ? spec.commandLine.join(" ") : undefined],
  ] as const;
  const body = entries.filter(([, value]) => value !== undefined).map(([keyword, value]) => `  ${keyword} ${value}`);
  return ["", `LABEL ${spec.label}`, ...body];
}

function assertPath(name: string, path: string): void {
  assertLine(`${name} path`, path, /[^\x21-\x7e]|[#\\]|^$/);
  if (path.length > maxPathBytes) throw unusable(`${name} path`, path, `longer than ${maxPathBytes} bytes`);
}

function assertLine(name: string, value: string, forbidden: RegExp): void {
  const found = forbidden.exec(value);
  if (found === null) return;
  throw unusable(name, value, found[0] === "" ? "empty" : `unusable because of ${JSON.stringify(found[0])}`);
}

function unusable(name: string, value: string, why: string): Failure {
  const message = `the ${name} ${JSON.stringify(value)} is ${why} in a boot config; change it where it was set`;
  return new Failure("invalid", message, { found: value });
}

function lines(of: readonly string[]): string {
  return `${of.join("\n")}\n`;
}
