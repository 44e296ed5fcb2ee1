import type { ExtFiles } from "../filesystems/ext-files.ts";
import { maximumBytes } from "./boot-file-limits.ts";
import { type ImageCommandLine, parseCommandLine } from "./parse-command-line.ts";
import { chooseLoaderEntries, parseExtlinux, parseGrubConfig, parseLoaderEntry } from "./parse-loader-config.ts";

/**
 * The kernel command line that a boot loader would use, from the first of these filesystems that has its
 * configuration: at the top, as a /boot of its own has it, or in /boot. Undefined when none has.
 */
export async function readLoaderCommandLine(all: readonly ExtFiles[]): Promise<ImageCommandLine | undefined> {
  for (const files of all) {
    for (const folder of ["", "/boot"]) {
      const text = await readFrom(files, folder);
      if (text !== undefined) return parseCommandLine(text);
    }
  }
  return undefined;
}

async function readFrom(files: ExtFiles, folder: string): Promise<string | undefined> {
  const entries = `${folder}/loader/entries`;
  for (const name of chooseLoaderEntries(await files.list(entries))) {
    const line = parseLoaderEntry((await files.readText(`${entries}/${name}`, maximumBytes.text)) ?? "");
    if (line !== undefined) return line;
  }
  const extlinux = await files.readText(`${folder}/extlinux/extlinux.conf`, maximumBytes.text);
  const grub = await files.readText(`${folder}/grub/grub.cfg`, maximumBytes.text);
  return (extlinux && parseExtlinux(extlinux)) || (grub && parseGrubConfig(grub)) || undefined;
}
