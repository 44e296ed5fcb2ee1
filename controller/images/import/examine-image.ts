import { readSync } from "node:fs";
import { open } from "node:fs/promises";
import { Failure } from "../../../proto/failure.ts";
import { isExt } from "../../../proto/linux/ext-filesystem.ts";
import { maxFirstPartitionBytes, whyNotFirstPartition } from "../../../proto/pack/image-bounds.ts";
import { initPath, systemdPaths } from "../../../proto/system/choose-init-system.ts";
import { assertImageCommandLine } from "../boot/assert-command-line.ts";
import { maximumBytes } from "../boot/boot-file-limits.ts";
import { chooseRootPartition, type PartitionContent } from "../boot/choose-root-partition.ts";
import { copyBootFiles } from "../boot/copy-boot-files.ts";
import { findNotes } from "../boot/find-notes.ts";
import { findOwnSettings } from "../boot/find-own-settings.ts";
import { findFirmwarePartition } from "../boot/firmware-partition.ts";
import { type ImageCommandLine, parseCommandLine } from "../boot/parse-command-line.ts";
import { parseOperatingSystem } from "../boot/parse-os-release.ts";
import { correctScriptPaths, scriptInBootOf } from "../boot/plan-first-boots.ts";
import { readLoaderCommandLine } from "../boot/read-loader-command-line.ts";
import type { Image, Partition } from "../catalogue/image.ts";
import { type ExtFiles, extFiles } from "../filesystems/ext-files.ts";
import { fatFiles } from "../filesystems/fat-files.ts";
import { probeFilesystem } from "../filesystems/probe-filesystem.ts";
import { parsePartitionTable } from "../formats/parse-partition-table.ts";
import type { PartitionTable } from "../formats/partition-table.ts";
import { hashTables } from "../map/judge-partitions.ts";
import { examineProfiled, examineSystem } from "./examine-system.ts";

/** Any of them is a sign of a root filesystem, whether or not it could start an agent. */
const initPrograms = [initPath, "/usr/sbin/init", ...systemdPaths, "/init"];
const configurationFiles = ["/etc/os-release", "/usr/lib/os-release", "/etc/fstab", "/etc/passwd"];

/** What examining an image found. */
export interface ImageFindings
  extends Pick<
    Image,
    "partitionTable" | "partitions" | "rootPartition" | "operatingSystem" | "boot" | "system" | "abilities"
  > {
  /** Files of the root filesystem that set up hashes of whole devices. */
  readonly hashTables: readonly string[];
}

/**
 * Finds out what a raw image is: its partitions, which one holds the root filesystem, what the system calls itself, and
 * how it boots; copies kernel, initrd and device trees into `bootFolder`, which it makes. Nothing is mounted,
 * and everything in the image is treated as hostile. Throws Failure `unsupported` or `image-damaged`.
 */
export async function examineImage(
  imagePath: string,
  bootFolder: string,
  signal?: AbortSignal,
): Promise<ImageFindings> {
  const found = await findRootPartition(imagePath, signal);
  const { table, partitions, rootPartition, firmware, readable } = found;
  const root = readable.get(rootPartition);
  const offsetBytes = partitions.find(({ number }) => number === rootPartition)?.offsetBytes ?? 0;
  const system = root && (await examineSystem(root, { imagePath, offsetBytes, signal }));
  const abilities = root && (await examineProfiled(root));
  const others = [...new Set([...(root === undefined ? [] : [root]), ...readable.values()])];
  const copied = await copyBootFiles(firmware, others, bootFolder);
  const { words } = found.commandLine;
  const firstBootWords = await findScripts(found.commandLine.firstBootWords, root);
  assertImageCommandLine([...words, ...firstBootWords], { hasInitrd: copied.initrd !== undefined });
  const { notes: copyNotes, ...boot } = copied;
  const notes = [...copyNotes, ...(await findNotes(firmware, root, words, found.systems))];
  const ownSettings = await findOwnSettings({ firmware, root, abilities, words, firstBootWords });
  return {
    partitionTable: table.kind,
    partitions,
    rootPartition,
    operatingSystem: (await nameOperatingSystem(root)) ?? "unknown operating system",
    ...(system && { system }),
    ...(abilities && { abilities }),
    hashTables: await findHashTables(root),
    boot: {
      ...boot,
      commandLine: words.join(" "),
      ...(firstBootWords.length > 0 && { firstBootWords }),
      ...(notes.length > 0 && { notes }),
      ...(ownSettings.length > 0 && { ownSettings }),
    },
  };
}

/** First-boot words, with the paths of scripts as they are in the running system. */
async function findScripts(words: readonly string[], root: ExtFiles | undefined): Promise<readonly string[]> {
  const scripts = words.flatMap((word) => scriptInBootOf(word) ?? []);
  if (root === undefined || scripts.length === 0) return words;
  const present = new Set<string>();
  for (const path of scripts) if (await root.exists(path)) present.add(path);
  return correctScriptPaths(words, (await root.readText("/etc/fstab", maximumBytes.text)) ?? "", present);
}

/** What is in the partitions of an image, and which one holds its root filesystem. */
export interface PartitionFindings {
  readonly table: PartitionTable;
  readonly partitions: readonly Partition[];
  /** Number of the partition with the root filesystem. */
  readonly rootPartition: number;
  readonly firmware: Awaited<ReturnType<typeof findFirmwarePartition>>;
  /** Of the firmware, else of a boot loader in one of the filesystems; without words where there is none. */
  readonly commandLine: ImageCommandLine;
  /** Numbers of the partitions that hold a complete system, as far as they can be looked into. */
  readonly systems: readonly number[];
  /** Filesystems that can be looked into, by number of the partition. */
  readonly readable: ReadonlyMap<number, ExtFiles>;
}

/** Finds the root filesystem of a raw image, as `examineImage` does, whether or not there is a kernel in it. */
export async function findRootPartition(imagePath: string, signal?: AbortSignal): Promise<PartitionFindings> {
  const table = await readPartitionTable(imagePath);
  const partitions: Partition[] = [];
  for (const entry of table.entries) {
    partitions.push({ ...entry, ...(await probeFilesystem(imagePath, entry, signal)) });
  }

  const place = ({ offsetBytes }: Partition) => ({ imagePath, offsetBytes, signal });
  const fat = partitions.filter(({ filesystemType }) => filesystemType === "vfat");
  const fatPartitions = fat.map((partition) => fatFiles(place(partition)));
  const firmware = await findFirmwarePartition(fatPartitions);

  const contents: PartitionContent[] = [];
  const readable = new Map<number, ExtFiles>();
  for (const partition of partitions) {
    const files = isExt(partition.filesystemType) ? extFiles(place(partition)) : undefined;
    const content = files === undefined ? partition : { ...partition, ...(await examineFiles(files)) };
    contents.push(content);
    if (files !== undefined && !("unreadable" in content)) readable.set(partition.number, files);
  }
  const own = firmware?.commandLine ?? parseCommandLine("");
  const isSaid = own.words.length > 0 || own.root !== undefined;
  const commandLine = isSaid ? own : ((await readLoaderCommandLine([...readable.values()])) ?? own);
  const names = (await Promise.all(fatPartitions.map((files) => files.list()))).flat();
  const rootPartition = chooseRootPartition(contents, commandLine.root, names);
  const systems = contents.filter(({ holds }) => holds?.init && holds.configuration).map(({ number }) => number);
  return { table, partitions, rootPartition, firmware, commandLine, systems, readable };
}

async function readPartitionTable(imagePath: string): Promise<PartitionTable> {
  const file = await open(imagePath, "r");
  try {
    // Reads only a few sectors; synchronous, so that the parsers stay plain functions.
    const read = (offsetBytes: number, lengthBytes: number) => {
      const bytes = Buffer.alloc(lengthBytes);
      return bytes.subarray(0, readSync(file.fd, bytes, 0, lengthBytes, offsetBytes));
    };
    const imageBytes = (await file.stat()).size;
    const table = parsePartitionTable(read, imageBytes);
    const first = Math.min(...table.entries.map(({ offsetBytes }) => offsetBytes));
    if (whyNotFirstPartition(first, imageBytes) === undefined) return table;
    throw new Failure("unsupported", "the image's first partition starts too far from the beginning", {
      expected: `at most byte ${maxFirstPartitionBytes}`,
      found: `byte ${first}`,
    });
  } finally {
    await file.close();
  }
}

/** Looks for signs of a root filesystem. */
async function examineFiles(files: ExtFiles): Promise<Pick<PartitionContent, "holds" | "unreadable">> {
  const anyOf = async (paths: readonly string[]) => {
    for (const path of paths) if (await files.exists(path)) return true;
    return false;
  };
  try {
    return { holds: { init: await anyOf(initPrograms), configuration: await anyOf(configurationFiles) } };
  } catch (error) {
    // Damage in a partition that is not the root must not keep the image out; where it is the root, this is listed.
    if (error instanceof Failure && error.reason === "image-damaged") return { unreadable: error.message };
    throw error;
  }
}

async function findHashTables(root: ExtFiles | undefined): Promise<readonly string[]> {
  const found: string[] = [];
  for (const path of hashTables) {
    const text = (await root?.readText(path, maximumBytes.text)) ?? "";
    // A package brings the file with nothing but comments in it.
    if (/^[ \t]*[^#\s]/m.test(text)) found.push(path);
  }
  return found;
}

async function nameOperatingSystem(root: ExtFiles | undefined): Promise<string | undefined> {
  for (const path of ["/etc/os-release", "/usr/lib/os-release"]) {
    const text = await root?.readText(path, maximumBytes.text);
    const name = parseOperatingSystem(text ?? "");
    if (name !== undefined) return name;
  }
  return undefined;
}
