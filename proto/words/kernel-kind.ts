import { KernelFormat as WireFormat, KernelOrigin as WireOrigin } from "../gen/pallet/v1/image.ts";
import { wireWords } from "./wire-words.ts";

/**
 * What a kernel file is by its magic number, and so what can start it: U-Boot's booti takes the first two, a Pi's firmware
 * those and "arm32-zimage". "unknown" is what nobody recognises: the firmware runs it as raw code. See
 * pallet.v1.KernelFormat.
 */
export type KernelFormat = "arm64-image" | "arm64-image-gzip" | "arm32-zimage" | "efi-zboot" | "unknown";

/**
 * Whose kernel it is: Raspberry Pi's own wants the device trees and overlays of its image, which name devices as no other
 * kernel does; an upstream one (Debian, Fedora, buildroot's mainline) takes those of upstream too. See
 * pallet.v1.KernelOrigin.
 */
export type KernelOrigin = "raspberry-pi" | "upstream" | "unknown";

/** Formats of kernels as they travel. */
export const kernelFormats = wireWords<KernelFormat, WireFormat>({
  "arm64-image": WireFormat.KERNEL_FORMAT_ARM64_IMAGE,
  "arm64-image-gzip": WireFormat.KERNEL_FORMAT_ARM64_IMAGE_GZIP,
  "arm32-zimage": WireFormat.KERNEL_FORMAT_ARM32_ZIMAGE,
  "efi-zboot": WireFormat.KERNEL_FORMAT_EFI_ZBOOT,
  unknown: WireFormat.KERNEL_FORMAT_UNKNOWN,
});

/** Origins of kernels as they travel. */
export const kernelOrigins = wireWords<KernelOrigin, WireOrigin>({
  "raspberry-pi": WireOrigin.KERNEL_ORIGIN_RASPBERRY_PI,
  upstream: WireOrigin.KERNEL_ORIGIN_UPSTREAM,
  unknown: WireOrigin.KERNEL_ORIGIN_UNKNOWN,
});
