import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../../proto/failure.ts";
import { cacheEntry } from "./cache-entry.ts";
import { renewEntry } from "./entry-uses.ts";
import { newestVersion, openPrivateApt, preparePrivateApt, renderSource } from "./private-apt.ts";
import { runTool } from "./run-tool.ts";

/** Where Debian is fetched from, and how fresh. */
export interface ArchiveRequest {
  readonly cacheDirectory: string;
  /** Debian suite. */
  readonly suite: string;
  readonly mirror: string;
  /** Check for newer versions even if some are already known. */
  readonly refresh: boolean;
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** A snapshot of Debian's archive: versions do not change during a build. */
export interface DebianArchive {
  readonly versions: {
    /** Of U-Boot's source package. */
    readonly uBoot: string;
    /** Of raspi-firmware, which is in the component non-free-firmware. */
    readonly firmware: string;
    /** Of the packages of the initrd. */
    readonly initramfs: Readonly<Record<InitramfsPackage, string>>;
  };
  /** Unpacks U-Boot's source with Debian's patches into `folder/source`. */
  unpackUBoot(folder: string): Promise<void>;
  /** Unpacks the files of raspi-firmware into `folder`. */
  unpackFirmware(folder: string): Promise<void>;
  /** Unpacks the files of a package for arm64 into `folder`. */
  unpackPackage(name: string, version: string, folder: string): Promise<void>;
}

/** Packages for arm64 that an initrd is made of. */
export const initramfsPackages = ["busybox-static", "klibc-utils", "libklibc"] as const;
export type InitramfsPackage = (typeof initramfsPackages)[number];

const firmwarePackage = "raspi-firmware";
const sourcePackage = "u-boot";

/** The sources.list of an archive, and the name that its folder has in the cache. Throws Failure "invalid". */
function describeArchive({ suite, mirror }: Pick<ArchiveRequest, "suite" | "mirror">) {
  const archive = { suite, mirror };
  const sources = [renderSource("deb", archive, "main non-free-firmware"), renderSource("deb-src", archive, "main")];
  const key = createHash("sha256")
    .update(JSON.stringify([sources, initramfsPackages]))
    .digest("hex")
    .slice(0, 16);
  return { sources, name: `archive-${suite}-${key}` };
}

/** The versions of an archive in the cache; undefined if Debian has to be asked. */
export async function cachedVersions(request: ArchiveRequest): Promise<DebianArchive["versions"] | undefined> {
  if (request.refresh) return undefined;
  const folder = join(request.cacheDirectory, describeArchive(request).name);
  return readFile(join(folder, "versions.json"), "utf8").then(
    (text) => JSON.parse(text),
    () => undefined,
  );
}

/**
 * Opens Debian's archive through an apt with folders of its own, so that neither the sources nor the lists nor the
 * architectures of this machine change or matter. The network is used only when nothing is known yet, or to refresh.
 *
 * Throws Failure "tool-failed" with what apt says, and "cancelled".
 */
export async function openDebianArchive(request: ArchiveRequest): Promise<DebianArchive> {
  const { cacheDirectory, mirror, refresh, log, signal } = request;
  const { sources, name } = describeArchive(request);
  if (refresh) await renewEntry(cacheDirectory, name);

  const folder = await cacheEntry(cacheDirectory, name, async (building) => {
    log(`asking ${mirror} for the versions of U-Boot and the firmware`);
    await preparePrivateApt(building, sources, signal);
    const apt = openPrivateApt(building, { log, signal });
    const attempt = "Debian's package lists could not be read";
    const source = await apt.run(attempt, ["apt-cache", "showsrc", "--only-source", sourcePackage]);
    const newestOf = async (name: string) => newestVersion(await apt.show(name), name);
    const initramfs: Record<string, string> = {};
    for (const name of initramfsPackages) initramfs[name] = await newestOf(name);
    const versions = {
      uBoot: newestVersion(source, sourcePackage),
      firmware: await newestOf(firmwarePackage),
      initramfs,
    };
    await writeFile(join(building, "versions.json"), `${JSON.stringify(versions)}\n`);
  });

  const versions: DebianArchive["versions"] = JSON.parse(await readFile(join(folder, "versions.json"), "utf8"));
  const apt = openPrivateApt(folder, { log, signal });
  return {
    versions,

    async unpackUBoot(into) {
      log(`fetching the source of U-Boot ${versions.uBoot}`);
      const download = await mkdtemp(join(into, "download-"));
      const attempt = `the source of U-Boot ${versions.uBoot} could not be fetched (a newer one may have replaced it: --refresh)`;
      await apt.run(
        attempt,
        ["apt-get", "--quiet", "--download-only", "source", `${sourcePackage}=${versions.uBoot}`],
        download,
      );
      const description = (await readdir(download)).find((file) => file.endsWith(".dsc"));
      if (description === undefined) throw new Failure("tool-failed", `${attempt}: apt brought no .dsc file`);
      // apt has checked the signed lists' digests of these files.
      const extract = [
        "dpkg-source",
        "--no-check",
        "--extract",
        join(download, description),
        join(into, "source"),
      ] as const;
      await runTool("the source of U-Boot could not be unpacked", extract, { signal });
      await rm(download, { recursive: true });
    },

    unpackFirmware: (into) => apt.unpack(firmwarePackage, versions.firmware, into),
    unpackPackage: apt.unpack,
  };
}
