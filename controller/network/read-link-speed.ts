import { readFileSync } from "node:fs";

/**
 * Speed of a network interface in bytes per second, as its driver says it (sysfs-class-net of the kernel's
 * documentation); undefined where it says none: virtual interfaces, wireless ones, and those without a link.
 */
export function readLinkSpeed(interfaceName: string): number | undefined {
  if (!/^[^/\s]{1,15}$/.test(interfaceName) || /^\.\.?$/.test(interfaceName)) return undefined;
  let text: string;
  try {
    text = readFileSync(`/sys/class/net/${interfaceName}/speed`, "utf8");
  } catch {
    // Reading fails with EINVAL if there is no speed to report.
    return undefined;
  }
  const megabits = Number(text.trim());
  return Number.isFinite(megabits) && megabits > 0 ? (megabits * 1e6) / 8 : undefined;
}
