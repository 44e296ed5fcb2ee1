import type { ImageBoot, KernelFormat } from "./image.ts";

/**
 * Whether U-Boot's booti may start it, as the firmware may in 64-bit mode. It unpacks more formats than are told apart
 * here, so "unknown" may be one of them; nobody looked at what an older Pallet took in, and that was for U-Boot.
 */
export function is64Bit(format: KernelFormat | undefined): boolean {
  return format !== "arm32-zimage" && format !== "efi-zboot";
}

/**
 * Whether a kernel is better off with its board's firmware and its image's own files: U-Boot would not start it, or
 * keep its image's device trees and overlays from it.
 */
export function needsOwnFiles({
  kernelOrigin,
  kernelFormat,
}: Pick<ImageBoot, "kernelOrigin" | "kernelFormat">): boolean {
  return kernelOrigin === "raspberry-pi" || !is64Bit(kernelFormat);
}
