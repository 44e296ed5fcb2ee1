import { createReadStream } from "node:fs";
import { lstat, readdir, stat } from "node:fs/promises";
import path from "node:path";
import { resolveInside } from "../../proto/linux/foreign-root.ts";
import { agentPrograms } from "../../proto/system/agent-program.ts";
import { initPath } from "../../proto/system/choose-init-system.ts";
import type { RootfsFact } from "./facts.ts";

const contractMark = /pallet-contract-[0-9a-f]{16}/;
/** Characters of the longest mark, less one: as much of a piece may begin a mark that ends in the next. */
const overlap = "pallet-contract-".length + 15;

/** Looks at the root filesystem that nodes mount, without following links that lead out of it. */
export async function readRootfs(folder: string): Promise<RootfsFact> {
  const status = await stat(folder).catch(() => undefined);
  const absent = { path: folder, isFolder: false, hasInit: false, releases: [], hasAgent: false };
  if (status?.isDirectory() !== true) return absent;
  const agent = path.join(folder, agentPrograms.netboot);
  const hasAgent = (await lstat(agent).catch(() => undefined))?.isFile() === true;
  const contract = hasAgent ? await findContract(agent) : undefined;
  return {
    path: folder,
    isFolder: true,
    hasInit: (await resolveInside(folder, initPath)) !== undefined,
    releases: await readReleases(folder),
    hasAgent,
    ...(contract !== undefined && { contract }),
  };
}

async function readReleases(folder: string): Promise<readonly string[]> {
  const lib = await lstat(path.join(folder, "lib")).catch(() => undefined);
  const places = ["usr/lib/modules", ...(lib?.isDirectory() ? ["lib/modules"] : [])];
  const found = await Promise.all(places.map((place) => readdir(path.join(folder, place)).catch(() => [])));
  return [...new Set(found.flat())];
}

/**
 * The contract that an agent says that it speaks, found in its program as text: the program is for another processor.
 */
async function findContract(file: string): Promise<string | undefined> {
  let rest = "";
  for await (const piece of createReadStream(file, { highWaterMark: 1 << 20, encoding: "latin1" })) {
    const text = rest + String(piece);
    const found = contractMark.exec(text)?.[0];
    if (found !== undefined) return found;
    rest = text.slice(-overlap);
  }
  return undefined;
}
