import { open } from "node:fs/promises";
import { checkLabel } from "../../proto/disk/filesystem-label.ts";
import { blkidAmbivalent, blkidNothingFound, parseBlkid, renderBlkidArguments } from "../../proto/disk/parse-blkid.ts";
import { Failure } from "../../proto/failure.ts";
import { attachLoop } from "../../proto/linux/loop-device.ts";
import { sectorBytes } from "../../proto/pack/image-bounds.ts";
import { flushBuffers } from "../linux/flush-buffers.ts";
import { runTool } from "../linux/run-tool.ts";

/** A partition to make an empty FAT filesystem, at an offset of a disk that has no partition table yet. */
export interface ReformatFat {
  /** Path of the whole disk. */
  readonly device: string;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes an empty FAT in place of one, with its label, serial number (UUID) and size of entries, so that an fstab(5)
 * that names it by any of them still mounts it.
 *
 * mkfs.vfat(8) wants exclusive access, which the writer of the disk already has, so it gets a loop device over
 * the partition. Throws a Failure: `invalid` where there is no FAT, or one with a label that mkfs.vfat cannot make;
 * `tool-failed`, `cancelled`.
 */
export async function reformatFat(place: ReformatFat): Promise<void> {
  const { device, offsetBytes, signal } = place;
  const found = await probe(place);
  const sectorsPerCluster = await readSectorsPerCluster(place);
  checkLabel("vfat", found.label);
  await withLoop(place, async (loop) => {
    await runTool({
      tool: "mkfs.vfat",
      args: [
        "-I",
        "--mbr=n",
        ...["-h", String(offsetBytes / sectorBytes)],
        ...["-s", String(sectorsPerCluster)],
        ...(found.entryBits === undefined ? [] : ["-F", found.entryBits]),
        ...(found.serial === undefined ? [] : ["-i", found.serial]),
        ...(found.label === "" ? [] : ["-n", found.label]),
        loop,
      ],
      task: `make an empty FAT filesystem at byte ${offsetBytes} of ${device}`,
      signal,
    });
    await flushBuffers({
      device: loop,
      what: `the new FAT filesystem at byte ${offsetBytes} of ${device}`,
      signal,
    });
  });
}

/** What to preserve of a FAT filesystem. */
interface FatIdentity {
  readonly label: string;
  /** "12", "16" or "32". */
  readonly entryBits: string | undefined;
  /** Eight hexadecimal digits. */
  readonly serial: string | undefined;
}

/** What blkid(8) reports about the existing FAT filesystem. */
async function probe({ device, offsetBytes, lengthBytes, signal }: ReformatFat): Promise<FatIdentity> {
  const { stdout } = await runTool({
    tool: "blkid",
    args: renderBlkidArguments(device, { offsetBytes, lengthBytes }),
    task: `inspect the FAT filesystem at byte ${offsetBytes} of ${device}`,
    acceptedExitCodes: [0, blkidNothingFound, blkidAmbivalent],
    signal,
  });
  const { filesystemType, label, uuid } = parseBlkid(stdout);
  if (filesystemType !== "vfat") {
    const found = filesystemType === "" ? "unknown content" : filesystemType;
    throw new Failure("invalid", `there is no FAT filesystem to recreate at byte ${offsetBytes} of ${device}`, {
      range: { device, offsetBytes, lengthBytes },
      expected: "vfat",
      found,
    });
  }
  return {
    label,
    entryBits: /^VERSION=FAT(12|16|32)$/m.exec(stdout)?.[1],
    serial: /^[0-9A-F]{4}-[0-9A-F]{4}$/i.test(uuid) ? uuid.replace("-", "") : undefined,
  };
}

/**
 * How large its clusters are: with it, the kind of FAT that fitted fits again (FAT specification 1.03, BPB_SecPerClus).
 */
async function readSectorsPerCluster({ device, offsetBytes }: ReformatFat): Promise<number> {
  const handle = await open(device, "r");
  try {
    const { buffer } = await handle.read(Buffer.alloc(sectorBytes), 0, sectorBytes, offsetBytes);
    return buffer.readUInt8(13);
  } finally {
    await handle.close();
  }
}

/** A loop device over the place for the time of `use`. It is gone afterwards, even when this process is killed. */
async function withLoop(place: ReformatFat, use: (loop: string) => Promise<void>): Promise<void> {
  const { device, offsetBytes, lengthBytes } = place;
  const loop = await attachLoop({ file: device, offsetBytes, lengthBytes }).catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Failure("tool-failed", `cannot set up a loop device at byte ${offsetBytes} of ${device}: ${why}`, {
      cause,
    });
  });
  try {
    await use(loop.path);
  } finally {
    await loop.close();
  }
}
