import { Failure } from "../../../proto/failure.ts";
import type { SystemAbilities } from "../../../proto/system/config/abilities.ts";
import { examineAbilities } from "../../../proto/system/config/examine-abilities.ts";
import { dynamicLoaders } from "../../../proto/system/dynamic-loaders.ts";
import { examineRoot } from "../../../proto/system/examine-root.ts";
import { type SystemFacts, systemFactsOf } from "../../../proto/system/system-facts.ts";
import type { ExtFiles } from "../filesystems/ext-files.ts";
import type { FilesystemPlace } from "../filesystems/fat-files.ts";
import { parseFreeBytes } from "../filesystems/parse-free-bytes.ts";
import { readToolOutput } from "../filesystems/read-tool-output.ts";
import { viewRoot } from "./root-view.ts";

/**
 * What decides whether a resident agent can be installed in the system of an image, so that a plan can say so before a
 * card is erased. Undefined when this root filesystem does not let itself be examined without mounting it (a link to a
 * name that no tool may be given, damage): the agent then decides on the card, with the filesystem mounted.
 */
export async function examineSystem(root: ExtFiles, place: FilesystemPlace): Promise<SystemFacts | undefined> {
  return unlessUnreadable(async () =>
    systemFactsOf(await examineRoot(viewRoot(root), dynamicLoaders), await readFreeBytes(place)),
  );
}

/** What profiles can change in the system of an image; undefined as for `examineSystem`. */
export async function examineProfiled(root: ExtFiles): Promise<SystemAbilities | undefined> {
  return unlessUnreadable(() => examineAbilities(viewRoot(root)));
}

async function unlessUnreadable<Found>(examine: () => Promise<Found>): Promise<Found | undefined> {
  try {
    return await examine();
  } catch (error) {
    if (error instanceof Failure && ["invalid", "unsupported", "image-damaged"].includes(error.reason))
      return undefined;
    throw error;
  }
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
