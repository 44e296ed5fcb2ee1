/** What a Raspberry Pi's config.txt says about what to boot, as far as Pallet follows it. */
export interface FirmwareConfig {
  /** Goes before the names of kernel, initrd, device trees and command line; may be a folder. */
  readonly osPrefix: string;
  readonly kernel?: string;
  readonly initramfs?: string;
  /** The initrd is the one whose name matches the kernel's. */
  readonly autoInitramfs: boolean;
  readonly arm64: boolean;
  readonly commandLineFile: string;
}

/** Model filters that hold for boards which Pallet boots the image on by itself: Pi 3, 4 and their kin. */
const ourModels: ReadonlySet<string> = new Set(["pi3", "pi3+", "pi02", "cm3", "cm3+", "pi4", "pi400", "cm4", "cm4s"]);
const otherModels: ReadonlySet<string> = new Set(["pi0", "pi0w", "pi1", "cm1", "cm0", "pi2", "pi5", "pi500", "cm5"]);

/**
 * Parses config.txt (https://www.raspberrypi.com/documentation/computers/config_txt.html). One image serves several
 * boards, so conditional filters are followed in part: a setting counts when it is unconditional or under [all]; under
 * filters for the Pi 3 and Pi 4 it counts when it is not set unconditionally and all of those agree; under any other
 * filter ([pi5], [none], [gpio4=1], …) it does not count. `include` is not followed.
 */
export function parseConfigTxt(text: string): FirmwareConfig {
  const unconditional = new Map<string, string>();
  const conditional = new Map<string, Set<string>>();
  let model: "any" | "ours" | "other" = "any";
  let filtered = false;
  for (const line of text.split(/\r?\n/).map((candidate) => candidate.trim())) {
    if (line === "" || line.startsWith("#")) continue;
    const filter = /^\[(.+)\]$/.exec(line)?.[1]?.toLowerCase();
    if (filter !== undefined) {
      if (filter === "all") [model, filtered] = ["any", false];
      else if (ourModels.has(filter)) model = "ours";
      else if (otherModels.has(filter)) model = "other";
      else filtered = true;
      continue;
    }
    if (filtered || model === "other") continue;
    const setting = /^(\w+)\s*=\s*(.*)$/.exec(line) ?? /^(initramfs)\s+(\S+)/.exec(line);
    if (setting?.[1] === undefined || setting[2] === undefined) continue;
    const key = setting[1].toLowerCase();
    if (model === "any") unconditional.set(key, setting[2]);
    else conditional.set(key, (conditional.get(key) ?? new Set()).add(setting[2]));
  }
  const value = (key: string): string | undefined => {
    const agreed = conditional.get(key);
    return unconditional.get(key) ?? (agreed?.size === 1 ? [...agreed][0] : undefined);
  };
  const kernel = value("kernel");
  // "initramfs NAME followkernel", or several names by commas, of which the first is the real one.
  const initramfs = value("initramfs")?.split(/[\s,]/)[0];
  return {
    osPrefix: value("os_prefix") ?? "",
    ...(kernel && { kernel }),
    ...(initramfs && { initramfs }),
    autoInitramfs: value("auto_initramfs") === "1",
    arm64: value("arm_64bit") !== "0",
    commandLineFile: value("cmdline") ?? "cmdline.txt",
  };
}
