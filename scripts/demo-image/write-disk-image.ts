import { mkdir, open, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "../../proto/linux/leashed-execa.ts";

const MiB = 1024 * 1024;
const bootPartition = { offsetBytes: 4 * MiB, lengthBytes: 44 * MiB };
/** With room for a resident agent, which is one program of more than 100 MiB. */
const rootPartition = { offsetBytes: 48 * MiB, lengthBytes: 232 * MiB };

/** What makes up one disk image. */
export interface DiskContent {
  /** Root filesystem. */
  readonly rootFolder: string;
  /** Files of the FAT partition, all in its root. */
  readonly bootFiles: readonly string[];
  /** MBR disk id: eight hexadecimal digits. */
  readonly diskId: string;
  /** UUID of the root filesystem. */
  readonly rootUuid: string;
}

/**
 * Writes a raw disk image laid out like Raspberry Pi OS: MBR, FAT32 "bootfs", ext4 "rootfs". Nothing is mounted:
 * sfdisk(8), mkfs.vfat(8) and mke2fs(8) take an offset, and mtools(1) copies into the FAT filesystem.
 */
export async function writeDiskImage(path: string, content: DiskContent, signal?: AbortSignal): Promise<void> {
  const run = signal === undefined ? {} : { cancelSignal: signal };
  const file = await open(path, "wx");
  try {
    await file.truncate(rootPartition.offsetBytes + rootPartition.lengthBytes);
  } finally {
    await file.close();
  }
  const sectors = (bytes: number) => String(bytes / 512);
  const table = [
    "label: dos",
    `label-id: 0x${content.diskId}`,
    `start=${sectors(bootPartition.offsetBytes)}, size=${sectors(bootPartition.lengthBytes)}, type=c`,
    `start=${sectors(rootPartition.offsetBytes)}, size=${sectors(rootPartition.lengthBytes)}, type=83`,
  ];
  await execa("sfdisk", ["--quiet", "--no-tell-kernel", path], { ...run, input: `${table.join("\n")}\n` });

  const volumeId = content.diskId;
  // FAT32 wants at least 65,525 clusters (mtools insists), so they are of one sector on so small a partition.
  const fatKiB = String(bootPartition.lengthBytes / 1024);
  await execa(
    "mkfs.vfat",
    [
      "-F",
      "32",
      "-s",
      "1",
      "-n",
      "bootfs",
      "-i",
      volumeId,
      `--offset=${sectors(bootPartition.offsetBytes)}`,
      path,
      fatKiB,
    ],
    run,
  );
  await execa("mcopy", ["-i", `${path}@@${bootPartition.offsetBytes}`, "-m", ...content.bootFiles, "::"], run);

  const extended = `offset=${rootPartition.offsetBytes},hash_seed=${content.rootUuid},root_owner=0:0,nodiscard`;
  const rootKiB = `${rootPartition.lengthBytes / 1024}k`;
  const labels = ["-L", "rootfs", "-U", content.rootUuid];
  await execa(
    "mke2fs",
    [
      "-q",
      "-F",
      "-t",
      "ext4",
      "-b",
      "4096",
      "-m",
      "1",
      ...labels,
      "-d",
      content.rootFolder,
      "-E",
      extended,
      path,
      rootKiB,
    ],
    run,
  );
}

/** Writes config.txt and cmdline.txt as Raspberry Pi OS has them; returns all files of the FAT partition. */
export async function writeBootFiles(
  sharedFolder: string,
  ownFolder: string,
  diskId: string,
): Promise<readonly string[]> {
  const names = await readdir(sharedFolder);
  const named = (prefix: string) => {
    const name = names.find((candidate) => candidate.startsWith(prefix));
    if (name === undefined) throw new Error(`${sharedFolder} holds no ${prefix}*`);
    return name;
  };
  const config = [
    "# For more options see http://rptl.io/configtxt",
    "arm_64bit=1",
    "enable_uart=1",
    `kernel=${named("vmlinuz")}`,
    `initramfs ${named("initrd.img")} followkernel`,
    "",
    "[all]",
  ];
  const words = ["console=tty1", "console=ttyAMA0,115200", `root=PARTUUID=${diskId}-02`, "rootfstype=ext4", "rootwait"];
  await mkdir(ownFolder);
  await writeFile(join(ownFolder, "config.txt"), `${config.join("\n")}\n`);
  await writeFile(join(ownFolder, "cmdline.txt"), `${words.join(" ")}\n`);
  return [
    ...names.map((name) => join(sharedFolder, name)),
    join(ownFolder, "config.txt"),
    join(ownFolder, "cmdline.txt"),
  ];
}
