import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../../proto/failure.ts";
import { cacheEntry } from "./cache-entry.ts";
import { renewEntry } from "./entry-uses.ts";
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
const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** The sources.list of an archive, and the name that its folder has in the cache. Throws Failure "invalid". */
function describeArchive({ suite, mirror }: Pick<ArchiveRequest, "suite" | "mirror">) {
  if (/\s/.test(mirror) || !/^[a-z0-9.-]+$/.test(suite))
    throw new Failure(
      "invalid",
      `"${mirror} ${suite}" is not a Debian archive; give a URL and a suite such as bookworm`,
    );
  const sources = [
    `deb [signed-by=${keyring}] ${mirror} ${suite} main non-free-firmware`,
    `deb-src [signed-by=${keyring}] ${mirror} ${suite} main`,
  ];
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

  const apt = (
    folder: string,
    attempt: string,
    command: readonly [string, ...string[]],
    cwd = folder,
  ): Promise<string> => runTool(attempt, [command[0], ...aptOptions(folder), ...command.slice(1)], { cwd, signal });

  const folder = await cacheEntry(cacheDirectory, name, async (building) => {
    log(`asking ${mirror} for the versions of U-Boot and the firmware`);
    for (const path of ["lists/partial", "cache/archives/partial"])
      await mkdir(join(building, path), { recursive: true });
    await writeFile(join(building, "status"), "");
    await writeFile(join(building, "sources.list"), `${sources.join("\n")}\n`);
    await apt(building, "Debian's package lists could not be fetched", ["apt-get", "--quiet", "update"]);
    const attempt = "Debian's package lists could not be read";
    const source = await apt(building, attempt, ["apt-cache", "showsrc", "--only-source", sourcePackage]);
    const newestOf = async (name: string) =>
      newest(await apt(building, attempt, ["apt-cache", "show", "--no-all-versions", name]), name);
    const initramfs: Record<string, string> = {};
    for (const name of initramfsPackages) initramfs[name] = await newestOf(name);
    const versions = { uBoot: newest(source, sourcePackage), firmware: await newestOf(firmwarePackage), initramfs };
    await writeFile(join(building, "versions.json"), `${JSON.stringify(versions)}\n`);
  });

  const versions: DebianArchive["versions"] = JSON.parse(await readFile(join(folder, "versions.json"), "utf8"));
  const unpackPackage = async (name: string, version: string, into: string): Promise<void> => {
    log(`fetching ${name} ${version}`);
    const download = await mkdtemp(join(into, ".download-"));
    const attempt = `${name} ${version} could not be fetched (a newer one may have replaced it: --refresh)`;
    await apt(folder, attempt, ["apt-get", "--quiet", "download", `${name}=${version}`], download);
    const file = (await readdir(download)).find((each) => each.endsWith(".deb"));
    if (file === undefined) throw new Failure("tool-failed", `${attempt}: apt brought no .deb file`);
    await runTool(`${file} could not be unpacked`, ["dpkg-deb", "--extract", join(download, file), into], { signal });
    await rm(download, { recursive: true });
  };
  return {
    versions,

    async unpackUBoot(into) {
      log(`fetching the source of U-Boot ${versions.uBoot}`);
      const download = await mkdtemp(join(into, "download-"));
      const attempt = `the source of U-Boot ${versions.uBoot} could not be fetched (a newer one may have replaced it: --refresh)`;
      await apt(
        folder,
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

    unpackFirmware: (into) => unpackPackage(firmwarePackage, versions.firmware, into),
    unpackPackage,
  };
}

/** apt.conf(5): everything that apt reads and writes is in the folder. */
function aptOptions(folder: string): readonly string[] {
  const settings = {
    "Dir::Etc::SourceList": join(folder, "sources.list"),
    "Dir::Etc::SourceParts": "/dev/null",
    "Dir::Etc::Preferences": "/dev/null",
    "Dir::Etc::PreferencesParts": "/dev/null",
    "Dir::State::Lists": join(folder, "lists"),
    "Dir::State::Status": join(folder, "status"),
    "Dir::Cache": join(folder, "cache"),
    "APT::Architecture": "arm64",
    "APT::Architectures": "arm64",
    "Acquire::Languages": "none",
    // The folder belongs to the user who runs this; the user _apt could not write there.
    "APT::Sandbox::User": "",
  };
  return Object.entries(settings).map(([name, value]) => `--option=${name}=${value}`);
}

/** The version in the first paragraph of what apt-cache prints. */
function newest(text: string, name: string): string {
  const version = /^Version: (\S+)$/m.exec(text)?.[1];
  if (version === undefined)
    throw new Failure("tool-failed", `Debian's archive has no ${name}; give another --suite or --mirror`);
  return version;
}
