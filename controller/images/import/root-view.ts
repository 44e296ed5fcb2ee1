import { followPath } from "../../../proto/linux/follow-path.ts";
import type { ListedRoot } from "../../../proto/system/config/examine-abilities.ts";
import { maximumBytes } from "../boot/boot-file-limits.ts";
import type { ExtFiles } from "../filesystems/ext-files.ts";
import { isDebugfsPath } from "../filesystems/safe-path.ts";

/** The root filesystem of an image, as those see it who examine systems. What was looked up once is not looked up again. */
export function viewRoot(root: ExtFiles): ListedRoot {
  const known = new Map<string, ReturnType<ExtFiles["lookUp"]>>();
  const lookUp: ExtFiles["lookUp"] = (path) => {
    const found = known.get(path) ?? root.lookUp(path);
    known.set(path, found);
    return found;
  };
  const resolve = async (path: string): Promise<string | undefined> => {
    const end = await followPath(lookUp, path, { missing: "absent", lastLink: "followed" });
    return end.kind === "found" ? end.path : undefined;
  };
  const readStart = async (path: string, maxBytes: number): Promise<Buffer | undefined> => {
    const file = await resolve(path);
    if (file === undefined || (await lookUp(file))?.isFile !== true) return undefined;
    return root.readStart(file, maxBytes);
  };
  return {
    resolve,
    readStart,
    readText: async (path) => (await readStart(path, maximumBytes.text))?.toString("utf8"),
    async list(path) {
      const folder = await resolve(path);
      if (folder === undefined || (await lookUp(folder))?.isFile === true) return [];
      // A folder with a name that no line can hold is listed as far as its files have plain ones.
      const names = (await root.listAll(folder))?.map(({ name }) => name) ?? (await root.list(folder));
      return names.filter(isDebugfsPath);
    },
  };
}
