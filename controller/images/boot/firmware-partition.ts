import { posix } from "node:path";
import type { FatFiles } from "../filesystems/fat-files.ts";
import { maximumBytes } from "./boot-file-limits.ts";
import { type BootFiles, chooseBootFiles } from "./choose-boot-files.ts";
import { type ImageCommandLine, parseCommandLine } from "./parse-command-line.ts";
import { parseConfigTxt } from "./parse-config-txt.ts";

/** The FAT partition that the firmware of a Pi boots from. */
export interface FirmwarePartition {
  readonly files: FatFiles;
  /** From cmdline.txt, or from the file that config.txt names; no words where there is none. */
  readonly commandLine: ImageCommandLine;
  /** Absent when it holds no Linux kernel. */
  readonly chosen?: BootFiles;
}

/** The FAT partition that boots the image: the first with a kernel, else the first with a command line. */
export async function findFirmwarePartition(all: readonly FatFiles[]): Promise<FirmwarePartition | undefined> {
  const found: FirmwarePartition[] = [];
  for (const files of all) found.push(await readFirmwarePartition(files));
  return (
    found.find(({ chosen }) => chosen !== undefined) ?? found.find(({ commandLine }) => commandLine.words.length > 0)
  );
}

async function readFirmwarePartition(files: FatFiles): Promise<FirmwarePartition> {
  const configText = await files.readText("config.txt", maximumBytes.text);
  const config = configText === undefined ? undefined : parseConfigTxt(configText);
  const name = config?.commandLineFile ?? "cmdline.txt";
  const commandLine =
    (await files.readText(posix.normalize((config?.osPrefix ?? "") + name), maximumBytes.text)) ??
    (await files.readText(name, maximumBytes.text)) ??
    "";
  const chosen = chooseBootFiles(await files.list(), config);
  return { files, commandLine: parseCommandLine(commandLine), ...(chosen && { chosen }) };
}
