import { debianPackages, type Need } from "../../proto/linux/debian-package.ts";
import type { Requirements, Unmet } from "./requirements.ts";

/** The command that installs what has all of this, for a person to copy. */
export function renderInstallLine(needs: readonly Need[], isRoot: boolean): string {
  const sudo = isRoot ? "" : "sudo ";
  return `${sudo}apt-get update && ${sudo}apt-get install -y --no-install-recommends ${debianPackages(needs).join(" ")}`;
}

/** Lists everything that keeps a command from starting, each with its remedy; undefined if nothing does. */
export function renderUnmet(
  { command, root }: Requirements,
  { needs, notRoot, unwritable }: Unmet,
  /** Whether the command has `--install`. */
  canInstall: boolean,
): string | undefined {
  const lines: string[] = [];
  if (notRoot) lines.push(`${command} must run as root (${root}): run it with sudo`);
  else if (unwritable.length > 0)
    lines.push(
      `${command} cannot write to ${unwritable.join(" or ")}: run it as root, or choose another folder with --out`,
    );
  if (needs.length > 0) {
    const remedy = canInstall ? "add --install, or install it with" : "install it with";
    lines.push(`${command} needs programs that are missing on this machine: ${needs.join(", ")}; ${remedy}:`);
    lines.push(`  ${renderInstallLine(needs, !notRoot && unwritable.length === 0)}`);
  }
  return lines.length === 0 ? undefined : lines.join("\n");
}
