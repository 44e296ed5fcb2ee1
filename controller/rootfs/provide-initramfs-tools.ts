import { createHash } from "node:crypto";
import { mkdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "../../proto/linux/leashed-execa.ts";
import { cacheEntry } from "../artefacts/cache-entry.ts";
import { type ArchiveRequest, initramfsPackages, openDebianArchive } from "../artefacts/debian-archive.ts";

/**
 * A folder with the programs of the initrd, for arm64 from Debian's packages: what `buildInitramfs` takes for a
 * root folder. From the cache, or fetched, which takes some seconds.
 *
 * Throws Failure "tool-failed" with what apt says, and "cancelled".
 */
export async function provideInitramfsTools(request: ArchiveRequest): Promise<string> {
  const archive = await openDebianArchive(request);
  const versions = archive.versions.initramfs;
  const key = createHash("sha256").update(JSON.stringify(versions)).digest("hex").slice(0, 16);
  return cacheEntry(request.cacheDirectory, `initramfs-tools-${key}`, async (folder) => {
    const unpacked = join(folder, "unpacked");
    await mkdir(unpacked);
    for (const name of initramfsPackages) await archive.unpackPackage(name, versions[name], unpacked);
    // In a system /bin and /lib are links into /usr; in these packages they are folders still.
    await mkdir(join(folder, "usr"));
    for (const part of ["usr", "bin", "lib"])
      if ((await stat(join(unpacked, part)).catch(() => undefined)) !== undefined)
        await execa("cp", ["--archive", join(unpacked, part), part === "usr" ? folder : join(folder, "usr")]);
    await rm(unpacked, { recursive: true });
  });
}
