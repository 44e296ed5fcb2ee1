import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { Failure } from "../../proto/failure.ts";
import type { RootDevice } from "./node-facts.ts";
import { type Mount, parseMountinfo, rootMount } from "./parse-mountinfo.ts";

/**
 * Reads which filesystem this process runs from, and on which whole disk it lies, through partitions, device mapper,
 * RAID (then the first member's disk) and loop devices over block devices.
 *
 * `disk` is empty for NFS, overlay and RAM filesystems. Throws an `internal` Failure when /proc/self/mountinfo names no
 * root, or when sysfs does not know the root's block device: then no disk could be trusted not to hold the root.
 */
export async function readRootDevice(): Promise<RootDevice> {
  const mount = rootMount(parseMountinfo(await readFile("/proc/self/mountinfo", "utf8")));
  if (mount === undefined) throw new Failure("internal", "/proc/self/mountinfo names no mount at /");
  const number = await blockDeviceNumber(mount);
  if (number === undefined) return { source: mount.source, filesystemType: mount.filesystemType, disk: "" };
  let folder: string;
  try {
    folder = await realpath(`/sys/dev/block/${number}`);
  } catch (error) {
    throw new Failure(
      "internal",
      `cannot tell which disk holds the running root: ${mount.source} is block device ${number}, which ` +
        "/sys/dev/block does not know; mount sysfs on /sys",
      { cause: error },
    );
  }
  const source = mount.source === "/dev/root" ? `/dev/${basename(folder)}` : mount.source;
  return { source, filesystemType: mount.filesystemType, disk: `/dev/${basename(await wholeDisk(folder))}` };
}

/** "major:minor" of the block device under a mount. A btrfs has an anonymous number but a device as its source. */
async function blockDeviceNumber(mount: Mount): Promise<string | undefined> {
  if (!mount.deviceNumber.startsWith("0:")) return mount.deviceNumber;
  if (!mount.source.startsWith("/dev/")) return undefined;
  const device = await stat(mount.source).catch(() => undefined);
  return device?.isBlockDevice() ? deviceNumber(device.rdev) : undefined;
}

/** "major:minor" of a dev_t as glibc encodes it (gnu_dev_major, gnu_dev_minor). */
function deviceNumber(rdev: number): string {
  return `${(rdev >>> 8) & 0xfff}:${(rdev & 0xff) | ((rdev >>> 12) & 0xfff00)}`;
}

/** The sysfs folder of the whole disk at the bottom of a device. */
async function wholeDisk(folder: string): Promise<string> {
  const names: string[] = await readdir(folder).catch(() => []);
  if (names.includes("partition")) return wholeDisk(dirname(folder));
  const [slave]: string[] = await readdir(`${folder}/slaves`).catch(() => []);
  if (slave !== undefined) return wholeDisk(await realpath(`${folder}/slaves/${slave}`));
  const backing = await readFile(`${folder}/loop/backing_file`, "utf8").catch(() => "");
  if (!backing.startsWith("/dev/")) return folder;
  const below = await realpath(`/sys/class/block/${basename(backing.trim())}`).catch(() => undefined);
  return below === undefined ? folder : wholeDisk(below);
}
