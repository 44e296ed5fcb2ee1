import { open } from "node:fs/promises";
import { execa } from "../../proto/linux/leashed-execa.ts";

const MiB = 1024 * 1024;

/** Where the partitions of such an image lie. */
export const layout = {
  boot: { offsetBytes: 4 * MiB, lengthBytes: 44 * MiB },
  /** With room for a resident agent, which is one program of more than 100 MiB, and not much more. */
  root: { offsetBytes: 48 * MiB, lengthBytes: 432 * MiB },
} as const;

/** What makes up one disk image. */
export interface SystemDisk {
  readonly table: "dos" | "gpt";
  readonly rootFolder: string;
  /** Its content goes onto the FAT partition. */
  readonly bootFolder: string;
  /** MBR disk id, or the first digits of the GPT's; and the FAT filesystem's: eight hexadecimal digits. */
  readonly diskId: string;
  /** UUID of the root filesystem. */
  readonly rootUuid: string;
  /** By partition. */
  readonly partitionUuids: { readonly boot: string; readonly root: string };
}

/** Writes a raw disk image: a FAT32 "bootfs" and an ext4 "rootfs", without mounting any. */
export async function writeSystemDisk(path: string, disk: SystemDisk, signal?: AbortSignal): Promise<void> {
  const run = signal === undefined ? {} : { cancelSignal: signal };
  const { boot, root } = layout;
  const file = await open(path, "wx");
  try {
    // A GPT has a copy of itself at the end of its disk.
    await file.truncate(root.offsetBytes + root.lengthBytes + (disk.table === "gpt" ? MiB : 0));
  } finally {
    await file.close();
  }
  const sectors = (bytes: number) => String(bytes / 512);
  const place = ({ offsetBytes, lengthBytes }: { offsetBytes: number; lengthBytes: number }) =>
    `start=${sectors(offsetBytes)}, size=${sectors(lengthBytes)}`;
  const table =
    disk.table === "dos"
      ? ["label: dos", `label-id: 0x${disk.diskId}`, `${place(boot)}, type=c`, `${place(root)}, type=83`]
      : [
          "label: gpt",
          `label-id: ${disk.diskId}-0000-4000-8000-000000000000`,
          `${place(boot)}, type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7, uuid=${disk.partitionUuids.boot}, name=bootfs`,
          `${place(root)}, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, uuid=${disk.partitionUuids.root}, name=rootfs`,
        ];
  await execa("sfdisk", ["--quiet", "--no-tell-kernel", path], { ...run, input: `${table.join("\n")}\n` });

  // FAT32 wants at least 65,525 clusters (mtools insists), so they are of one sector on so small a partition.
  const fat = ["-F", "32", "-s", "1", "-n", "bootfs", "-i", disk.diskId, `--offset=${sectors(boot.offsetBytes)}`];
  await execa("mkfs.vfat", [...fat, path, String(boot.lengthBytes / 1024)], run);
  // The shell lists what is in the folder.
  const copy = 'cd "$1" && exec mcopy -s -m -i "$2" -- * ::';
  await execa("sh", ["-c", copy, "sh", disk.bootFolder, `${path}@@${boot.offsetBytes}`], run);

  const extended = `offset=${root.offsetBytes},hash_seed=${disk.rootUuid},root_owner=0:0,nodiscard`;
  const labels = ["-L", "rootfs", "-U", disk.rootUuid, "-b", "4096", "-m", "1"];
  // A filesystem that may grow to many times its size, as mke2fs makes it by default for a small one.
  const grown = ["-E", `${extended},resize=16G`];
  const source = ["-d", disk.rootFolder];
  await execa(
    "mke2fs",
    ["-q", "-F", "-t", "ext4", ...labels, ...source, ...grown, path, `${root.lengthBytes / 1024}k`],
    run,
  );
}
