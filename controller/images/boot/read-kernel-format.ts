import { open } from "node:fs/promises";
import { constants, gunzipSync } from "node:zlib";
import { detectKernelFormat } from "../../artefacts/parse-kernel.ts";
import type { KernelFormat } from "../catalogue/image.ts";

/** Enough of a kernel, packed or not, for the magic numbers at its beginning. */
const headBytes = 64 * 1024;

/** What a kernel file is, by what it begins with. */
export async function readKernelFormat(path: string): Promise<KernelFormat> {
  const file = await open(path, "r");
  try {
    const bytes = Buffer.alloc(headBytes);
    const { bytesRead } = await file.read(bytes, 0, headBytes, 0);
    return kernelFormatOf(bytes.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}

/** What a kernel is that begins with these bytes. */
export function kernelFormatOf(head: Buffer): KernelFormat {
  const isGzip = head.length > 2 && head.readUInt16LE(0) === 0x8b1f;
  if (isGzip) return detectKernelFormat(unpackHead(head)) === "image" ? "arm64-image-gzip" : "unknown";
  return ({ image: "arm64-image", zboot: "efi-zboot", zimage: "arm32-zimage", other: "unknown" } as const)[
    detectKernelFormat(head)
  ];
}

/** The beginning of what a gzip file packs; empty when it is damaged. */
function unpackHead(packed: Buffer): Buffer {
  try {
    return gunzipSync(packed, { finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    return Buffer.alloc(0);
  }
}
