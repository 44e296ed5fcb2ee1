import { posix } from "node:path";

/**
 * What a Pi's firmware asks for by a name of its own: itself, its stubs, device trees, overlays, and kernels and initrds
 * by the names that systems give them (`chooseBootCandidates`). What config.txt names comes on top. Nothing else is kept:
 * a firmware partition also holds passwords (user-data, userconf.txt, wpa_supplicant.conf), and TFTP asks nobody who he
 * is.
 */
const firmwareNames: readonly RegExp[] = [
  /^(config|cmdline)\.txt$/,
  /^(start|fixup)\w*\.(elf|dat)$/,
  /^(bootcode|armstub)[\w-]*\.bin$/,
  /\.dtbo?$/,
  /^overlays\/readme$|\/overlays\/readme$/,
  /^kernel[\w.+-]*$/,
  /^(vmlinuz|initrd|initramfs|image|zimage)([\w.+-]*)$/,
];

/** Bounds on what is kept of an image's firmware partition; Raspberry Pi OS has 400 files of 80 MiB. */
const maximumFiles = 4096;
const maximumDepth = 8;

/** The files that are kept of a firmware partition, and those that would be if their names were plain ones. */
export interface FirmwareFiles {
  readonly kept: readonly string[];
  readonly skipped: readonly string[];
}

/**
 * Selects the files that a Pi's firmware could ask for. Of two that differ by case only, as on a damaged FAT, the first
 * counts. What has a name that a path or a boot config cannot carry is skipped, and so is what lies too deep, or behind
 * more files than any system has.
 *
 * @param files paths of all files with plain names, from the top of the partition
 * @param others paths of those with other names
 * @param named files that config.txt names or includes, whatever they are called
 */
export function selectFirmwareFiles(
  files: readonly string[],
  others: readonly string[],
  named: readonly string[],
): FirmwareFiles {
  const namedPaths = new Set(named.map((name) => posix.normalize(name.replace(/^\//, "")).toLowerCase()));
  // Behind any of its folders: os_prefix may be one. Both lists may have thousands of items.
  const isNamed = (path: string): boolean => {
    if (namedPaths.has(path)) return true;
    for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1))
      if (namedPaths.has(path.slice(slash + 1))) return true;
    return false;
  };
  const isAskedFor = (path: string) => {
    const lower = path.toLowerCase();
    return isNamed(lower) || firmwareNames.some((name) => name.test(posix.basename(lower)) || name.test(lower));
  };
  const seen = new Set<string>();
  const asked = files.filter(isAskedFor).filter((path) => {
    const isNew = !seen.has(path.toLowerCase());
    seen.add(path.toLowerCase());
    return isNew;
  });
  // Those at the top are what boots; folders may hold other systems' files.
  const ordered = asked.toSorted((a, b) => depthOf(a) - depthOf(b) || (a < b ? -1 : 1));
  const kept = new Set(ordered.filter((path) => depthOf(path) <= maximumDepth).slice(0, maximumFiles));
  const hidden = others.filter((path) => !posix.basename(path).startsWith(".") && isAskedFor(path));
  const dropped = ordered.filter((path) => !kept.has(path));
  return { kept: [...kept].toSorted(), skipped: [...hidden, ...dropped].toSorted() };
}

function depthOf(path: string): number {
  return path.split("/").length;
}
