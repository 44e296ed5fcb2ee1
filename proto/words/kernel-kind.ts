import { KernelFormat as WireFormat, KernelOrigin as WireOrigin } from "../gen/pallet/v1/image.ts";
import { wireWords } from "./wire-words.ts";

/** What a kernel file is by its magic number; see pallet.v1.KernelFormat. */
export type KernelFormat = "arm64-image" | "arm64-image-gzip" | "arm32-zimage" | "efi-zboot" | "unknown";

/** Whose kernel it is; see pallet.v1.KernelOrigin. */
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
