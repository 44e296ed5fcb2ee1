import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { Failure } from "../../proto/failure.ts";
import { parseKernelRelease } from "../../proto/system/parse-kernel-release.ts";
import { detectKernelFormat } from "../artefacts/parse-kernel.ts";

/** No kernel unpacks to more than this. */
const maximumBytes = 256 * 1024 * 1024;

/**
 * The release of a kernel that a node's U-Boot can start. Throws Failure "unsupported" for one that it cannot.
 *
 * @param name what to call the kernel in messages
 */
export async function readKernelRelease(path: string, name: string): Promise<string> {
  const file = await readFile(path);
  const isGzip = file.length > 2 && file.readUInt16LE(0) === 0x8b1f;
  const image = isGzip
    ? await promisify(gunzip)(file, { maxOutputLength: maximumBytes }).catch((cause: unknown) => {
        throw new Failure("image-damaged", `the kernel ${name} cannot be unpacked`, { cause });
      })
    : file;
  const format = detectKernelFormat(image);
  const release = parseKernelRelease(image);
  if (format === "image" && release !== undefined) return release;
  const found = {
    image: "a kernel that does not state its release",
    zboot: "an EFI zboot image",
    zimage: "a 32-bit kernel",
    other: "another kind of file",
  };
  throw new Failure("unsupported", `the kernel ${name} is not one that nodes can netboot`, {
    expected: "a 64-bit ARM kernel (Image), plain or gzipped",
    found: found[format],
  });
}
