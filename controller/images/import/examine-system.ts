import { Failure } from "../../../proto/failure.ts";
import { followPath } from "../../../proto/linux/follow-path.ts";
import { dynamicLoaders } from "../../../proto/system/dynamic-loaders.ts";
import { examineRoot, type RootView } from "../../../proto/system/examine-root.ts";
import { type SystemFacts, systemFactsOf } from "../../../proto/system/system-facts.ts";
import { maximumBytes } from "../boot/boot-file-limits.ts";
import type { ExtFiles } from "../filesystems/ext-files.ts";
import type { FilesystemPlace } from "../filesystems/fat-files.ts";
import { parseFreeBytes } from "../filesystems/parse-free-bytes.ts";
import { readToolOutput } from "../filesystems/read-tool-output.ts";

/**
 * What decides whether a resident agent can be installed in the system of an image, so that a plan can say so before a
 * card is erased. Undefined when this root filesystem does not let itself be examined without mounting it (a link to a
 * name that no tool may be given, damage): the agent then decides on the card, with the filesystem mounted.
 */
export async function examineSystem(root: ExtFiles, place: FilesystemPlace): Promise<SystemFacts | undefined> {
  try {
    return systemFactsOf(await examineRoot(viewOf(root), dynamicLoaders), await readFreeBytes(place));
  } catch (error) {
    if (error instanceof Failure && ["invalid", "unsupported", "image-damaged"].includes(error.reason))
      return undefined;
    throw error;
  }
}

function viewOf(root: ExtFiles): RootView {
  const resolve = async (path: string): Promise<string | undefined> => {
    const end = await followPath(root.lookUp, path, { missing: "absent", lastLink: "followed" });
    return end.kind === "found" ? end.path : undefined;
  };
  const readStart = async (path: string, maxBytes: number): Promise<Buffer | undefined> => {
    const file = await resolve(path);
    if (file === undefined || (await root.lookUp(file))?.isFile !== true) return undefined;
    return root.readStart(file, maxBytes);
  };
  return {
    resolve,
    readStart,
    readText: async (path) => (await readStart(path, maximumBytes.text))?.toString("utf8"),
  };
}

async function readFreeBytes({ imagePath, offsetBytes, signal }: FilesystemPlace): Promise<number | undefined> {
  const { output, exitCode } = await readToolOutput({
    command: "dumpe2fs",
    args: ["-h", `${imagePath}?offset=${offsetBytes}`],
    maximumBytes: 64 * 1024,
    signal,
  });
  return exitCode === 0 ? parseFreeBytes(output.toString("utf8")) : undefined;
}
