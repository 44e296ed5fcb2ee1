import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { Failure } from "../../proto/failure.ts";
import { kernelHeadBytes, parseKernelFormat, parseKernelRelease } from "./parse-kernel.ts";

/** No kernel unpacks to more. */
const maximumBytes = 256 * 1024 * 1024;

/**
 * The release of a kernel that a node's U-Boot can start. Throws Failure "unsupported" for one that it cannot.
 *
 * @param name what to call the kernel in messages
 */
export async function readKernelRelease(path: string, name: string): Promise<string> {
  const file = await readFile(path);
  const unpacked =
    parseKernelFormat(file.subarray(0, kernelHeadBytes)) === "gzip"
      ? await promisify(gunzip)(file, { maxOutputLength: maximumBytes }).catch((cause: unknown) => {
          throw new Failure("image-damaged", `the kernel ${name} cannot be unpacked`, { cause });
        })
      : file;
  const format = parseKernelFormat(unpacked.subarray(0, kernelHeadBytes));
  const release = parseKernelRelease(unpacked);
  if (format === "image" && release !== undefined) return release;
  throw new Failure("unsupported", `the kernel ${name} is none that nodes can netboot`, {
    expected: "a 64-bit kernel of ARM (Image), plain or compressed by gzip",
    found: format === "image" ? "one that does not say its release" : "another kind of file",
  });
}
