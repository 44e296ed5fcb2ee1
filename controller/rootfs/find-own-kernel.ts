import { lstat } from "node:fs/promises";
import { join, posix } from "node:path";
import { Failure } from "../../proto/failure.ts";
import { chooseBootFiles, kernelNames } from "../images/boot/choose-boot-files.ts";
import { parseConfigTxt } from "../images/boot/parse-config-txt.ts";
import { rootTree } from "./root-tree.ts";

/**
 * Where systems have their kernel: Raspberry Pi OS and Debian's images for Pis, other Debians, and those before them.
 */
const bootFolders = ["/boot/firmware", "/boot", "/"];

/** Finds kernel and device trees in a root filesystem. Throws Failure "unsupported" when it holds no kernel. */
export async function findOwnKernel(
  rootFolder: string,
): Promise<{ readonly kernelPath: string; readonly deviceTrees: readonly string[] }> {
  const tree = rootTree(rootFolder);
  for (const folder of bootFolders) {
    const files = new Map<string, string>();
    for (const name of await tree.list(folder)) {
      const end = await tree.resolve(posix.join(folder, name));
      if (end !== undefined && (await lstat(join(rootFolder, end))).isFile()) files.set(name, join(rootFolder, end));
    }
    const config = await tree.readText(posix.join(folder, "config.txt"));
    const chosen = chooseBootFiles(
      [...files.keys()],
      config === undefined ? undefined : parseConfigTxt(config).forUBoot(),
    );
    const kernelPath = files.get(chosen?.kernel ?? "");
    if (chosen === undefined || kernelPath === undefined) continue;
    const deviceTrees = chosen.deviceTrees.flatMap((name) => files.get(name) ?? []);
    return { kernelPath, deviceTrees };
  }
  throw new Failure(
    "unsupported",
    `${rootFolder} has no kernel, so nodes cannot netboot into it: there is no ${kernelNames} in ` +
      bootFolders.join(", "),
  );
}
