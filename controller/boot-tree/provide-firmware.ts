import { copyFile, mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../../proto/failure.ts";
import { cacheEntry, isCached } from "../artefacts/cache-entry.ts";
import { type ArchiveRequest, cachedVersions, type DebianArchive } from "../artefacts/debian-archive.ts";
import { requiredFirmware } from "./required-firmware.ts";
import { firmwareDigest } from "./source-files.ts";

/** The firmware of Raspberry Pi 4 and older; it is in the cache and is never written again. */
export interface PiFirmware {
  /** Version of the package raspi-firmware. */
  readonly version: string;
  readonly folder: string;
  /** Names of the files in it: bootcode.bin, start*.elf, fixup*.dat, and the licence. */
  readonly files: readonly string[];
}

const wanted = /^(bootcode\.bin|start\w*\.elf|fixup\w*\.dat)$/;
const licence = "firmware-copyright.txt";

/** Name in the cache of the firmware of a version, as this code takes it out of its package. */
function entryName(version: string): string {
  return `firmware-${version}-${firmwareDigest.slice(0, 32)}`;
}

/** Whether the firmware is in the cache, as far as we can tell without asking Debian. */
export async function isFirmwareCached(request: ArchiveRequest): Promise<boolean> {
  const version = (await cachedVersions(request))?.firmware;
  return version !== undefined && (await isCached(request.cacheDirectory, entryName(version)));
}

/** The firmware from the cache or from Debian's package. Throws Failure "tool-failed" or "cancelled". */
export async function provideFirmware(
  archive: DebianArchive,
  { cacheDirectory }: Pick<ArchiveRequest, "cacheDirectory">,
): Promise<PiFirmware> {
  const { firmware: version } = archive.versions;
  const folder = await cacheEntry(cacheDirectory, entryName(version), async (building) => {
    const unpacked = join(building, "unpacked");
    await mkdir(unpacked);
    await archive.unpackFirmware(unpacked);
    const from = join(unpacked, "usr/lib/raspi-firmware");
    for (const name of await readdir(from)) if (wanted.test(name)) await rename(join(from, name), join(building, name));
    await copyFile(join(unpacked, "usr/share/doc/raspi-firmware/copyright"), join(building, licence));
    await rm(unpacked, { recursive: true });
  });
  const files = (await readdir(folder)).toSorted();
  for (const name of requiredFirmware)
    if (!files.includes(name)) throw new Failure("tool-failed", `Debian's firmware ${version} has no ${name}`);
  return { version, folder, files };
}
