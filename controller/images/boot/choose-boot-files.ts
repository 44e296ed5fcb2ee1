import { posix } from "node:path";
import type { FirmwareConfig } from "./parse-config-txt.ts";

/** Which files of a boot partition boot the image; paths as they were listed. */
export interface BootFiles {
  readonly kernel: string;
  /** One behind the other, as one initrd; none if the kernel starts without. */
  readonly initrds: readonly string[];
  readonly deviceTrees: readonly string[];
}

const maximumDeviceTrees = 64;
/** Versions of a kernel that are looked at, the newest; each is read, and systems keep two or three. */
const maximumVersions = 32;
/** Boot loaders that images name as the kernel; U-Boot of ours stands in their place. */
const bootLoader = /u-?boot|tianocore|uefi|efi\.fd$|grub/i;

/** The names of kernels that are looked for, for messages. */
export const kernelNames = "kernel8.img, vmlinuz… or Image";

/** Whether a file that config.txt names as the kernel is a boot loader by its name. */
export function isBootLoader(path: string): boolean {
  return bootLoader.test(posix.basename(path));
}

/** Finds the file of a path, as it is listed; case does not count, as on a FAT. Made once for many questions. */
export function indexFiles(files: readonly string[]): (path: string) => string | undefined {
  const listed = new Set(files);
  const byLowerCase = new Map<string, string>();
  for (const file of files) if (!byLowerCase.has(file.toLowerCase())) byLowerCase.set(file.toLowerCase(), file);
  return (path) => {
    const wanted = posix.normalize(path);
    return listed.has(wanted) ? wanted : byLowerCase.get(wanted.toLowerCase());
  };
}

/** The same for one path. */
export function findFile(files: readonly string[], path: string): string | undefined {
  return indexFiles(files)(path);
}

/** The first of `chooseBootCandidates`; undefined when there is no kernel. */
export function chooseBootFiles(files: readonly string[], config?: FirmwareConfig): BootFiles | undefined {
  return chooseBootCandidates(files, config)[0];
}

/**
 * Chooses kernel, initrd and device trees: what config.txt names where there is one, otherwise by the names
 * that Raspberry Pi OS (kernel8.img, initramfs8), Debian and Ubuntu (vmlinuz-VERSION, initrd.img-VERSION, newest first;
 * vmlinuz, initrd.img) and Yocto (Image) use. 64-bit kernels come before 32-bit ones, unless config.txt wants these.
 * All kernels that could be meant, the likeliest first; what they are, their content says.
 *
 * @param files paths of all regular files, relative to the folder that the firmware or boot loader sees as its root
 */
export function chooseBootCandidates(files: readonly string[], config?: FirmwareConfig): readonly BootFiles[] {
  const prefix = config?.osPrefix ?? "";
  const findListed = indexFiles(files);
  const find = (name: string | undefined): string | undefined => {
    if (name === undefined) return undefined;
    if (name.startsWith("/")) return findListed(name.slice(1));
    return findListed(prefix + name) ?? findListed(name);
  };
  const named = config?.kernel === undefined || isBootLoader(config.kernel) ? undefined : find(config.kernel);
  const kernels = [named, ...conventionalKernels(files, prefix, config?.arm64 ?? true).map(find)].filter(
    (path) => path !== undefined,
  );
  return [...new Set(kernels)].map((kernel) => {
    const given = config?.initramfs.map(find).filter((path) => path !== undefined) ?? [];
    const own = matchingInitrds(posix.basename(kernel), config)
      .map(find)
      .filter((path) => path !== undefined);
    // Those that config.txt names belong to the kernel that it names.
    const isNamed = named === undefined || kernel === named;
    const initrds = given.length > 0 && (isNamed || own.length === 0) ? given : own.slice(0, 1);
    const folders = new Set([".", posix.dirname(kernel), folderOf(prefix)].map((folder) => folder.toLowerCase()));
    const deviceTrees = files.filter((path) => /\.dtb$/i.test(path) && folders.has(posix.dirname(path).toLowerCase()));
    return { kernel, initrds, deviceTrees: deviceTrees.toSorted().slice(0, maximumDeviceTrees) };
  });
}

function folderOf(prefix: string): string {
  return posix.dirname(posix.normalize(`${prefix}x`));
}

const byVersion = new Intl.Collator("en", { numeric: true });

/** Names to look for, in order of preference. */
function conventionalKernels(files: readonly string[], prefix: string, arm64: boolean): readonly string[] {
  const folders = [".", folderOf(prefix).toLowerCase()];
  const versioned = files
    .filter((path) => folders.includes(posix.dirname(path).toLowerCase()))
    .map((path) => posix.basename(path))
    .filter((name) => /^vmlinuz-./i.test(name) && !/rescue|\.old$|\.bak$/.test(name))
    .toSorted((a, b) => byVersion.compare(b, a))
    .slice(0, maximumVersions);
  const wide = ["kernel8.img", ...versioned, "vmlinuz", "Image", "Image.gz"];
  const narrow = ["kernel7l.img", "kernel7.img", "kernel.img", "zImage"];
  return arm64 ? [...wide, ...narrow] : [...narrow, ...wide];
}

/** Names of initrds that may belong to a kernel, in order of preference. */
function matchingInitrds(kernel: string, config: FirmwareConfig | undefined): readonly string[] {
  const raspberry = /^kernel(\w*)\.img$/i.exec(kernel);
  // The firmware loads these only if config.txt says so; without one, assume that an existing file is intended.
  if (raspberry) return config === undefined || config.autoInitramfs ? [`initramfs${raspberry[1]}`] : [];
  const version = /^vmlinuz(-.+)?$/i.exec(kernel)?.[1] ?? "";
  return ["initrd.img@", "initrd@", "initramfs@.img", "initrd@.img", "initramfs@"].map((name) =>
    name.replace("@", version),
  );
}
