import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { Failure, type FailureReason } from "../../proto/failure.ts";

/** A disk, held exclusively, past the page cache. */
export interface OpenDevice extends AsyncDisposable {
  readonly path: string;
  readonly handle: FileHandle;
  /** Size of a logical sector: offsets and lengths of transfers are multiples of it. */
  readonly sectorBytes: number;
  /** Called when a request goes to the disk; what it returns is called when it is answered. */
  readonly askDisk: () => () => void;
}

/** Opens a disk. */
export type OpenDisk = (options: {
  readonly path: string;
  readonly sectorBytes: number;
  readonly mode: "read" | "write";
  readonly askDisk: OpenDevice["askDisk"];
}) => Promise<OpenDevice>;

/** The kernel's errors on opening a disk, in words; see open(2). */
const refusals: Partial<Record<string, readonly [FailureReason, string]>> = {
  EBUSY: ["in-use", "something else uses it (a mount, RAID, LVM); unmount it first"],
  EROFS: ["read-only", "it refuses writes; slide the lock switch on the card, or replace it"],
  EACCES: ["read-only", "the agent is not allowed to write to it; run the agent as root"],
  EPERM: ["read-only", "the agent is not allowed to write to it; run the agent as root"],
  ENOENT: ["not-a-disk", "there is no such device"],
  ENXIO: ["not-a-disk", "there is no device behind this name (or it is gone)"],
  ENOMEDIUM: ["not-a-disk", "there is no medium in it; insert one"],
};

/**
 * Opens a disk with O_DIRECT, so that what is read comes from the disk and progress does not lie, and with O_EXCL, so
 * that the kernel itself refuses while the disk or a partition of it is mounted or held, and keeps others from doing
 * so meanwhile (open(2)). Throws a Failure that says what the kernel objects to.
 */
export const openDevice: OpenDisk = async ({ path, sectorBytes, mode, askDisk }) => {
  const access = mode === "write" ? constants.O_RDWR : constants.O_RDONLY;
  try {
    const handle = await open(path, access | constants.O_DIRECT | constants.O_EXCL);
    return { path, handle, sectorBytes, askDisk, [Symbol.asyncDispose]: () => handle.close() };
  } catch (cause) {
    const error = cause as NodeJS.ErrnoException;
    const [reason, words] = refusals[error.code ?? ""] ?? ["device-error" as const, error.message];
    throw new Failure(reason, `cannot open ${path}: ${words}`, { cause });
  }
};
