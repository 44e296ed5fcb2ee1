import type { FatFiles } from "../filesystems/fat-files.ts";
import { maximumBytes } from "./boot-file-limits.ts";
import { chooseBootFiles } from "./choose-boot-files.ts";
import { expandIncludes } from "./expand-includes.ts";
import { type ImageCommandLine, parseCommandLine } from "./parse-command-line.ts";
import { type ConfigTxt, parseConfigTxt } from "./parse-config-txt.ts";

/** The FAT partition that the firmware of a Pi boots from. */
export interface FirmwarePartition {
  readonly files: FatFiles;
  /** From cmdline.txt, or from the file that config.txt names; no words where there is none. */
  readonly commandLine: ImageCommandLine;
  /** Undefined when it has none. */
  readonly configTxt?: ConfigTxt;
  /** Names of the files that config.txt includes. */
  readonly included: readonly string[];
  /** Whether a Linux kernel is in it. */
  readonly hasKernel: boolean;
}

/**
 * The FAT partition that boots the image: the first with a kernel, else the first with a command line, else the first
 * with a config.txt.
 */
export async function findFirmwarePartition(all: readonly FatFiles[]): Promise<FirmwarePartition | undefined> {
  const found: FirmwarePartition[] = [];
  for (const files of all) found.push(await readFirmwarePartition(files));
  return (
    found.find(({ hasKernel }) => hasKernel) ??
    found.find(({ commandLine }) => commandLine.words.length > 0) ??
    found.find(({ configTxt }) => configTxt !== undefined)
  );
}

async function readFirmwarePartition(files: FatFiles): Promise<FirmwarePartition> {
  const read = (path: string) => files.readText(path.replace(/^\/+/, ""), maximumBytes.text);
  const configText = await read("config.txt");
  const { text, included } = await expandIncludes(configText ?? "", read);
  const configTxt = configText === undefined ? undefined : parseConfigTxt(text);
  const config = configTxt?.forUBoot();
  const name = config?.commandLineFile ?? "cmdline.txt";
  const prefixed = name.startsWith("/") ? name : `${config?.osPrefix ?? ""}${name}`;
  const commandLine = (await read(prefixed)) ?? (await read(name)) ?? "";
  const hasKernel = chooseBootFiles(await files.list(), config) !== undefined;
  return { files, commandLine: parseCommandLine(commandLine), ...(configTxt && { configTxt }), included, hasKernel };
}
