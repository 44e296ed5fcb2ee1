import { posix } from "node:path";
import type { FirmwareConfig } from "./parse-config-txt.ts";

/** Which files of a boot partition boot the image; paths as they were listed. */
export interface BootFiles {
  readonly kernel: string;
  readonly initrd?: string;
  readonly deviceTrees: readonly string[];
}

const maximumDeviceTrees = 64;
/** Boot loaders that images name as the kernel; U-Boot of ours stands in their place. */
const bootLoader = /u-?boot|tianocore|uefi|efi\.fd$|grub/i;

/** The names of kernels that are looked for, for messages. */
export const kernelNames = "kernel8.img, vmlinuz… or Image";

/**
 * Chooses kernel, initrd and device trees: what config.txt names where there is one, otherwise by the names
 * that Raspberry Pi OS (kernel8.img, initramfs8), Debian and Ubuntu (vmlinuz-VERSION, initrd.img-VERSION, newest first;
 * vmlinuz, initrd.img) and Yocto (Image) use. 64-bit kernels come before 32-bit ones. Undefined when there is no
 * kernel.
 *
 * @param files paths of all regular files, relative to the folder that the firmware or boot loader sees as its root
 */
export function chooseBootFiles(files: readonly string[], config?: FirmwareConfig): BootFiles | undefined {
  const present = new Set(files);
  const prefix = config?.osPrefix ?? "";
  const find = (name: string | undefined): string | undefined =>
    name === undefined ? undefined : [posix.normalize(prefix + name), name].find((path) => present.has(path));

  const named = config?.kernel !== undefined && !bootLoader.test(config.kernel) ? find(config.kernel) : undefined;
  const kernel =
    named ??
    conventionalKernels(files, prefix, config?.arm64 ?? true)
      .map(find)
      .find(Boolean);
  if (kernel === undefined) return undefined;

  const initrd = find(config?.initramfs) ?? matchingInitrds(posix.basename(kernel), config).map(find).find(Boolean);
  const folders = new Set([".", posix.dirname(kernel), posix.dirname(posix.normalize(`${prefix}x`))]);
  const deviceTrees = files.filter((path) => path.endsWith(".dtb") && folders.has(posix.dirname(path)));
  return { kernel, ...(initrd && { initrd }), deviceTrees: deviceTrees.toSorted().slice(0, maximumDeviceTrees) };
}

/** Names to look for, in order of preference. */
function conventionalKernels(files: readonly string[], prefix: string, arm64: boolean): readonly string[] {
  const folder = posix.dirname(posix.normalize(`${prefix}x`));
  const versioned = files
    .filter((path) => [".", folder].includes(posix.dirname(path)))
    .map((path) => posix.basename(path))
    .filter((name) => /^vmlinuz-./.test(name) && !/rescue|\.old$|\.bak$/.test(name))
    .toSorted((a, b) => b.localeCompare(a, "en", { numeric: true }));
  const wide = ["kernel8.img", ...versioned, "vmlinuz", "Image", "Image.gz"];
  const narrow = ["kernel7l.img", "kernel7.img", "kernel.img", "zImage"];
  return arm64 ? [...wide, ...narrow] : [...narrow, ...wide];
}

/** Names of initrds that may belong to a kernel, in order of preference. */
function matchingInitrds(kernel: string, config: FirmwareConfig | undefined): readonly string[] {
  const raspberry = /^kernel(\w*)\.img$/.exec(kernel);
  // The firmware loads these only if config.txt says so; without one, assume that an existing file is intended.
  if (raspberry) return config === undefined || config.autoInitramfs ? [`initramfs${raspberry[1]}`] : [];
  const version = /^vmlinuz(-.+)?$/.exec(kernel)?.[1] ?? "";
  return [`initrd.img${version}`, `initrd${version}`, `initramfs${version}.img`, `initrd${version}.img`];
}
