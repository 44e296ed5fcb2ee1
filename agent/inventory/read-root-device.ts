import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { Failure } from "../../proto/failure.ts";
import type { RootDevice } from "../../proto/node/node-facts.ts";
import { type Mount, parseMountinfo, rootMount } from "./parse-mountinfo.ts";

/** Where the kernel reports it; other paths are for tests. */
export interface RootSources {
  readonly mountinfo: string;
  readonly sysfs: string;
}

const kernel: RootSources = { mountinfo: "/proc/self/mountinfo", sysfs: "/sys" };

/**
 * Reads which filesystem this process runs from, and on which whole disk it lies, through partitions, device mapper,
 * RAID (then one of its members' disks) and loop devices over block devices.
 *
 * `disk` is empty for NFS, overlay and RAM filesystems. Throws an `internal` Failure when /proc/self/mountinfo names no
 * root, or when sysfs does not know the root's block device: then no disk could be trusted not to hold the root.
 */
export async function readRootDevice({ mountinfo, sysfs } = kernel): Promise<RootDevice> {
  const mount = rootMount(parseMountinfo(await readFile(mountinfo, "utf8")));
  if (mount === undefined) throw new Failure("internal", `${mountinfo} lists no mount at /`);
  const number = await blockDeviceNumber(mount);
  if (number === undefined) return { source: mount.source, filesystemType: mount.filesystemType, disk: "" };
  const folder = await realpath(`${sysfs}/dev/block/${number}`).catch((error: unknown) => {
    throw new Failure(
      "internal",
      `cannot tell which disk holds the running root: ${mount.source} is block device ${number}, which ` +
        `${sysfs}/dev/block does not list; mount sysfs on ${sysfs}`,
      { cause: error },
    );
  });
  const source = mount.source === "/dev/root" ? `/dev/${basename(folder)}` : mount.source;
  return { source, filesystemType: mount.filesystemType, disk: `/dev/${basename(await wholeDisk(folder, sysfs))}` };
}

/**
 * The partition that this process runs from; undefined when the root is none: NFS, RAM, a whole disk, a mapped device.
 * Throws as readRootDevice() does.
 */
export async function readRootPartition({
  mountinfo,
  sysfs,
} = kernel): Promise<{ readonly device: string; readonly disk: string; readonly number: number } | undefined> {
  const mount = rootMount(parseMountinfo(await readFile(mountinfo, "utf8")));
  const number = mount && (await blockDeviceNumber(mount));
  if (number === undefined) return undefined;
  const folder = await realpath(`${sysfs}/dev/block/${number}`);
  const partition = await readFile(`${folder}/partition`, "utf8").catch(() => undefined);
  if (partition === undefined) return undefined;
  return { device: `/dev/${basename(folder)}`, disk: `/dev/${basename(dirname(folder))}`, number: Number(partition) };
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
async function wholeDisk(folder: string, sysfs: string): Promise<string> {
  const names: string[] = await readdir(folder).catch(() => []);
  if (names.includes("partition")) return wholeDisk(dirname(folder), sysfs);
  const [slave]: string[] = await readdir(`${folder}/slaves`).catch(() => []);
  if (slave !== undefined) return wholeDisk(await realpath(`${folder}/slaves/${slave}`), sysfs);
  const backing = await readFile(`${folder}/loop/backing_file`, "utf8").catch(() => "");
  if (!backing.startsWith("/dev/")) return folder;
  const below = await realpath(`${sysfs}/class/block/${basename(backing.trim())}`).catch(() => undefined);
  return below === undefined ? folder : wholeDisk(below, sysfs);
}
