import { constants } from "node:fs";
import { lstat, open, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { type BoardItem, boardLimits } from "../../proto/node/board-item.ts";
import { runTool } from "../linux/run-tool.ts";
import { boardFiles, hideSecretWords, isSecret, renderBoardValue, selectKernelLog } from "./board-files.ts";

/** Names in one folder; there are hundreds of files in some of /sys. */
const maxNames = 128;

/**
 * Reads what the kernel and its firmware tell of this board. Everything is evidence and nothing is needed: what is not
 * there or cannot be read is left out. Never rejects, except when the signal aborts.
 *
 * @param root where /proc and /sys are
 */
export async function reportBoard(signal?: AbortSignal, root = "/"): Promise<readonly BoardItem[]> {
  const items = new Map<string, string>();
  let bytes = 0;
  const add = (name: string, read: string): void => {
    const value = hideSecretWords(read);
    if (items.has(name) || items.size >= boardLimits.items) return;
    bytes += name.length + value.length;
    if (bytes <= boardLimits.bytes) items.set(name, value);
  };
  // First, because the rest may fill the report.
  const kernelLog = await readKernelLog(signal);
  if (kernelLog !== undefined) add("dmesg", selectKernelLog(kernelLog, boardLimits.logCharacters));
  for (const pattern of boardFiles.flatMap(expandBraces)) {
    for (const path of await expand(root, pattern)) {
      signal?.throwIfAborted();
      if (isSecret(path)) continue;
      const value = await readValue(join(root, path));
      if (value !== undefined) add(value.isLink ? `${path} ->` : path, value.text);
    }
  }
  return [...items].map(([name, value]) => ({ name, value }));
}

async function readKernelLog(signal?: AbortSignal): Promise<string | undefined> {
  try {
    return (await runTool({ tool: "dmesg", args: [], task: "describe this board", signal })).stdout;
  } catch {
    // Not installed, or not allowed to a resident agent: evidence that there is not.
    signal?.throwIfAborted();
    return undefined;
  }
}

/** "a/{b,c}/d" is "a/b/d" and "a/c/d". */
function expandBraces(pattern: string): readonly string[] {
  const [whole, list] = /\{([^}]*)\}/.exec(pattern) ?? [];
  if (whole === undefined || list === undefined) return [pattern];
  return list.split(",").flatMap((word) => expandBraces(pattern.replace(whole, word)));
}

/** The paths that a pattern means. */
async function expand(root: string, pattern: string): Promise<readonly string[]> {
  let found = [""];
  for (const part of pattern.split("/").slice(1)) {
    if (!part.includes("*")) {
      found = found.map((path) => `${path}/${part}`);
      continue;
    }
    const form = new RegExp(`^${part.replaceAll("*", "[^/]*")}$`);
    const next = await Promise.all(
      found.map(async (path) => {
        const names = await readdir(join(root, path)).catch((): string[] => []);
        return names
          .filter((name) => form.test(name))
          .sort()
          .slice(0, maxNames)
          .map((name) => `${path}/${name}`);
      }),
    );
    found = next.flat().slice(0, boardLimits.items);
  }
  return found;
}

async function readValue(path: string): Promise<{ readonly isLink: boolean; readonly text: string } | undefined> {
  try {
    const status = await lstat(path);
    if (status.isSymbolicLink()) return { isLink: true, text: (await readlink(path)).slice(-300) };
    if (!status.isFile()) return undefined;
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const { buffer, bytesRead } = await file.read(
        Buffer.alloc(boardLimits.valueCharacters),
        0,
        boardLimits.valueCharacters,
        0,
      );
      return {
        isLink: false,
        text: renderBoardValue(buffer.subarray(0, bytesRead)).slice(0, boardLimits.valueCharacters),
      };
    } finally {
      await file.close();
    }
  } catch {
    // Many files of /sys refuse to be read, each with an error of its own.
    return undefined;
  }
}
