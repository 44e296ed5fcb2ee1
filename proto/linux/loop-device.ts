import { type FileHandle, open, readdir, readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { errorCodeOf } from "./error-code-of.ts";
import { loadLibc } from "./libc.ts";
import { type Backing, loopFlags, parseLoopStatus, renderLoopConfig, statusBytes } from "./loop-structures.ts";

/** What to attach, as a disk. */
export interface LoopRequest {
  /** Path of a file or block device. */
  readonly file: string;
  /** Where the disk begins in it; 0 unless given. */
  readonly offsetBytes?: number;
  /** How long it is; up to the end unless given. */
  readonly lengthBytes?: number;
  /** Whether the kernel looks for partitions. */
  readonly partitions?: boolean;
  /** Past the page cache. */
  readonly directIo?: boolean;
  /** Its logical sectors, in bytes; 512 unless given. */
  readonly sectorBytes?: number;
}

/** A loop device that is this process's own until it is closed. */
export interface AttachedLoop {
  /** "/dev/loop3". Nobody else gets this number in the meantime. */
  readonly path: string;
  close(): Promise<void>;
}

/** Requests of <linux/loop.h>. */
const request = { configure: 0x4c0a, clear: 0x4c01, status: 0x4c05, getFree: 0x4c82 } as const;

/**
 * Attaches a file as a block device, by loop(4). It is detached by the kernel when the last one closes it, so even when
 * this process is killed, and never by its name: a number is given to the next who asks as soon as it is free, and
 * whoever detaches by name may take away someone else's device. Needs root and Linux 5.8.
 */
export async function attachLoop(wanted: LoopRequest): Promise<AttachedLoop> {
  const { ioctl } = loadLibc();
  await using control = await open("/dev/loop-control", "r+");
  await using backing = await open(wanted.file, "r+");
  const flags =
    loopFlags.autoclear |
    (wanted.partitions ? loopFlags.partitionScan : 0) |
    (wanted.directIo ? loopFlags.directIo : 0);
  const config = renderLoopConfig({ ...wanted, fd: backing.fd, flags });
  for (;;) {
    const path = `/dev/loop${ioctl(control.fd, request.getFree)}`;
    const device = await openNew(path);
    try {
      ioctl(device.fd, request.configure, config);
      return { path, close: () => device.close() };
    } catch (error) {
      await device.close();
      // Another process was quicker.
      if (errorCodeOf(error) !== "EBUSY") throw describe(error, `cannot attach ${wanted.file} as ${path}`);
    }
  }
}

/** The kernel has made it a moment ago; where the node appears is up to devtmpfs. */
async function openNew(path: string): Promise<FileHandle> {
  for (let tries = 50; ; tries--) {
    try {
      return await open(path, "r+");
    } catch (error) {
      if (tries === 0 || errorCodeOf(error) !== "ENOENT") throw error;
      await sleep(20);
    }
  }
}

/**
 * Detaches a loop device that someone else attached, if it is still over that file or block device: while it is looked
 * at it is held open, and a device that is open is given to nobody. One that others have open goes with their last
 * close.
 *
 * @param over path of what it has to lie over
 * @returns whether it was; when not, it was left alone
 */
export async function detachLoop(path: string, over: string): Promise<boolean> {
  const { ioctl } = loadLibc();
  const device = await open(path, "r").catch((error: unknown) => {
    if (errorCodeOf(error) === "ENOENT") return undefined;
    throw error;
  });
  if (device === undefined) return false;
  try {
    const found = readBacking(device);
    if (found === undefined || !(await isOver(found, over))) return false;
    ioctl(device.fd, request.clear);
    return true;
  } catch (error) {
    // Detached by someone else between the two.
    if (errorCodeOf(error) === "ENXIO") return false;
    throw describe(error, `cannot detach ${path} from ${over}`);
  } finally {
    await device.close();
  }
}

/** Detaches every loop device over a file or block device. */
export async function detachLoopsOver(over: string): Promise<void> {
  for (const name of await readdir("/sys/block")) {
    const said = await readFile(`/sys/block/${name}/loop/backing_file`, "utf8").catch(() => undefined);
    // Not every path that leads to a device is what the kernel calls it; the name of the file is.
    if (said !== undefined && basename(said.trim()) === basename(over)) await detachLoop(`/dev/${name}`, over);
  }
}

function readBacking(device: FileHandle): Backing | undefined {
  const status = new Uint8Array(statusBytes);
  try {
    loadLibc().ioctl(device.fd, request.status, status);
  } catch (error) {
    // It has no backing file.
    if (errorCodeOf(error) === "ENXIO") return undefined;
    throw error;
  }
  return parseLoopStatus(status);
}

async function isOver(found: Backing, over: string): Promise<boolean> {
  const wanted = await stat(over, { bigint: true }).catch((error: unknown) => {
    if (errorCodeOf(error) === "ENOENT") return undefined;
    throw error;
  });
  // A disk that has gone, say, with all that lay over it: the name of the loop device may be another's by now.
  if (wanted === undefined) return false;
  // The node of a block device may be another one in each /dev; its number is the same.
  if (wanted.isBlockDevice()) return found.blockDevice === wanted.rdev;
  return found.device === wanted.dev && found.inode === wanted.ino;
}

function describe(error: unknown, what: string): Error {
  const cause = error as NodeJS.ErrnoException;
  return Object.assign(new Error(`${what}: ${cause.message}`, { cause }), { code: cause.code });
}
