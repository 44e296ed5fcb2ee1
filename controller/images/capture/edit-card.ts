import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { mtoolsEnvironment, renderDrive } from "../../../proto/disk/mtools.ts";
import { Failure } from "../../../proto/failure.ts";
import { limits } from "../../../proto/limits.ts";
import { followPath } from "../../../proto/linux/follow-path.ts";
import { inittabPath } from "../../../proto/system/choose-init-system.ts";
import { type ForeignSpace, openForeignSpace } from "../derive/foreign-space.ts";
import { readExtTraits, recoverExt, repairExt } from "../derive/repair-ext.ts";
import { type ExtFiles, extFiles } from "../filesystems/ext-files.ts";
import { fatFiles } from "../filesystems/fat-files.ts";
import { parseBlockRuns } from "../filesystems/parse-debugfs.ts";
import { readToolOutput } from "../filesystems/read-tool-output.ts";
import { isPlainPath } from "../filesystems/safe-path.ts";
import type { Extents } from "../map/extents.ts";
import { toExtents } from "../map/extents.ts";
import {
  firmwareNameOf,
  hostKeys,
  hostNamePath,
  hostsPath,
  machineIdPath,
  type OwnThings,
  ownFiles,
  palletFolder,
  planRemovals,
  type Removals,
  residentFiles,
} from "./plan-removals.ts";

/** A filesystem in the copy of a card. */
export interface CopiedFilesystem {
  /** The raw file. */
  readonly imagePath: string;
  readonly offsetBytes: number;
  /** Of its partition. */
  readonly lengthBytes: number;
  /** An empty folder for what is needed meanwhile. */
  readonly workFolder: string;
  readonly signal: AbortSignal;
}

const maximumTextBytes = 256 * 1024;
const damaged = "the root filesystem of the card is damaged, and e2fsck cannot repair its copy";
/** Folders in Pallet's own; it makes one level. */
const mostDepth = 4;

/**
 * Takes out of the copy of an ext root filesystem what is the node's own: see planRemovals. What is removed leaves no
 * trace in inodes; its blocks are free then, and the caller zeros those. Nothing is mounted, and what writes sees nothing
 * but the copy (ForeignSpace).
 *
 * @returns what was removed, an item each, and places whose bytes must not stay either (the journal's old blocks)
 * @throws Failure `unsupported` for files that cannot be removed without a trace, `image-damaged`, `tool-failed`
 */
export async function removeOwnThings(
  place: CopiedFilesystem,
  generalise: boolean,
): Promise<{ readonly removed: readonly string[]; readonly emptied: Extents }> {
  const { imagePath, offsetBytes, signal } = place;
  const plan = planRemovals(await findOwnThings(extFiles(place), generalise), generalise);
  if (plan.told.length === 0) return { removed: [], emptied: [] };
  const filesystem = { ...place, path: imagePath };
  const { blockBytes, hasInlineData } = await readExtTraits(filesystem);
  if (hasInlineData)
    throw new Failure(
      "unsupported",
      "the root filesystem of the card keeps small files inside of its inodes (inline_data), from where Pallet cannot " +
        `remove them without a trace: ${plan.told.join(", ")}`,
    );
  // So that what is removed is not brought back by it.
  await recoverExt(filesystem, place.workFolder, { damaged, signal });
  await withSpace(place, async (space) => {
    // debugfs(8) must not write to what is not sound.
    await repairExt(space, `/card.raw?offset=${offsetBytes}`, { damaged, signal });
    const files = extFiles(place);
    const inodes = await inodesOf(files, [...plan.files, ...plan.rewritten.map(({ path }) => path)]);
    const input = renderScript(plan, inodes);
    for (const [index, { text }] of plan.rewritten.entries()) await writeFile(join(stageOf(place), `${index}`), text);
    await space.run("debugfs", ["-w", "-f", "-", `/card.raw?offset=${offsetBytes}`], { signal, input: lines(input) });
    await space.run("e2fsck", ["-f", "-n", `/card.raw?offset=${offsetBytes}`], { signal });
  });
  await assertRemoved(extFiles(place), plan);
  return { removed: plan.told, emptied: await readOldJournal({ imagePath, offsetBytes, signal }, blockBytes) };
}

/** Gives the firmware of a FAT filesystem in the copy its names back. @returns what was renamed, an item each */
export async function restoreFirmware(place: CopiedFilesystem, partition: number): Promise<readonly string[]> {
  const { imagePath, offsetBytes, signal } = place;
  const names = await fatFiles({ imagePath, offsetBytes, signal }).list();
  const present = new Set(names.map((name) => name.toLowerCase()));
  const renamed = names.flatMap((from) => {
    const to = firmwareNameOf(from);
    // An upgrade has installed it again: that one is newer.
    return to === undefined || present.has(to) ? [] : [{ from, to }];
  });
  if (renamed.length === 0) return [];
  await withSpace(place, async (space) => {
    const environment = Object.entries(mtoolsEnvironment).map(([name, value]) => `${name}=${value}`);
    for (const { from, to } of renamed) {
      const rename = ["mren", "-i", renderDrive("/card.raw", offsetBytes), `::/${from}`, to];
      await space.run("env", [...environment, ...rename], { signal });
    }
  });
  return renamed.map(({ from, to }) => `partition ${partition}: ${from} (is ${to} again)`);
}

/** Where files wait that are written into the copy; the space sees it as /files. */
function stageOf({ workFolder }: CopiedFilesystem): string {
  return join(workFolder, "files");
}

async function withSpace(place: CopiedFilesystem, use: (space: ForeignSpace) => Promise<void>): Promise<void> {
  const top = join(place.workFolder, "space");
  for (const folder of [top, stageOf(place)]) await mkdir(folder, { recursive: true });
  const space = await openForeignSpace(top, [
    { path: place.imagePath, as: "card.raw" },
    { path: stageOf(place), as: "files" },
  ]);
  try {
    await use(space);
  } finally {
    await space.close();
  }
}

async function findOwnThings(files: ExtFiles, generalise: boolean): Promise<OwnThings> {
  /** Where a path leads; undefined when it leads nowhere. */
  const resolve = async (path: string): Promise<string | undefined> => {
    const end = await followPath(files.lookUp, path, { missing: "absent", lastLink: "kept" });
    return end.kind === "found" ? end.path : undefined;
  };
  const folderAt = async (path: string): Promise<string | undefined> => {
    const end = await followPath(files.lookUp, path, { missing: "absent", lastLink: "followed" });
    return end.kind === "found" ? end.path : undefined;
  };
  const palletFiles: string[] = [];
  const palletFolders: string[] = [];
  const walk = async (folder: string, depth: number): Promise<void> => {
    const entries = await files.listAll(folder);
    const isPlain = entries?.every(({ name }) => isPlainPath(`${folder.slice(1)}/${name}`)) ?? false;
    if (entries === undefined || !isPlain || depth > mostDepth || entries.length > limits.captures.folderNames.most)
      throw new Failure(
        "unsupported",
        `${folder} on the card holds something that Pallet does not put there and cannot remove from the image; look ` +
          "what it is, remove it on the card, and try again",
      );
    for (const { name, kind } of entries) {
      if (kind === "folder") await walk(`${folder}/${name}`, depth + 1);
      else palletFiles.push(`${folder}/${name}`);
    }
    palletFolders.push(folder);
  };
  const pallet = await resolve(palletFolder);
  if (pallet !== undefined) await walk(pallet, 1);
  if (!generalise) return { palletFiles, palletFolders, files: [] };

  const found: string[] = [];
  for (const { folder, names } of hostKeys) {
    const at = await folderAt(folder);
    if (at === undefined) continue;
    for (const name of await files.list(at)) if (names.test(name)) found.push(`${at}/${name}`);
  }
  for (const path of [...ownFiles, ...residentFiles]) {
    const at = await resolve(path);
    const inode = at === undefined ? undefined : await files.lookUp(at);
    // A link, as Debian's /var/lib/dbus/machine-id is one, says nothing by itself; a unit is enabled by one.
    const isWanted = inode?.isFile === true || (inode?.linkTarget !== undefined && residentFiles.includes(path));
    if (at !== undefined && isWanted) found.push(at);
  }
  const textOf = async (path: string): Promise<string | undefined> => {
    const isThere = (await files.lookUp(path))?.isFile === true;
    return isThere ? ((await files.readText(path, maximumTextBytes)) ?? "") : undefined;
  };
  const [machineId, hostName, hosts, inittab] = [
    await textOf(machineIdPath),
    await textOf(hostNamePath),
    await textOf(hostsPath),
    await textOf(inittabPath),
  ];
  return {
    ...{ palletFiles, palletFolders, files: found },
    ...(machineId !== undefined && { machineId }),
    ...(hostName !== undefined && { hostName }),
    ...(hosts !== undefined && { hosts }),
    ...(inittab !== undefined && { inittab }),
  };
}

/** Numbers of the inodes of files. Throws a Failure "unsupported" for one that another name would keep. */
async function inodesOf(files: ExtFiles, paths: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const inodes = new Map<string, number>();
  for (const path of paths) {
    const found = await files.lookUp(path);
    if (found === undefined) throw new Failure("image-damaged", `${path} was on the card, and e2fsck removed it`);
    if (found.links !== 1)
      throw new Failure(
        "unsupported",
        `${path} on the card has ${found.links} names (hard links), so that removing one would leave it in the image; ` +
          "remove the others on the card, and try again",
      );
    inodes.set(path, found.inode);
  }
  return inodes;
}

/** Commands of debugfs(8). An inode is cleared as well, because a short link or file is in it. */
function renderScript({ files, folders, rewritten }: Removals, inodes: ReadonlyMap<string, number>): readonly string[] {
  const remove = (path: string): readonly string[] => [`rm ${path}`, `clri <${inodes.get(path)}>`];
  return [
    ...files.flatMap(remove),
    ...folders.map((folder) => `rmdir ${folder}`),
    ...rewritten.flatMap(({ path, mode }, index) => [
      ...remove(path),
      `write /files/${index} ${path}`,
      `set_inode_field ${path} mode 0100${mode.toString(8)}`,
      ...["uid", "gid"].map((owner) => `set_inode_field ${path} ${owner} 0`),
    ]),
  ];
}

async function* lines(texts: readonly string[]): AsyncGenerator<Uint8Array> {
  yield Buffer.from(`${texts.join("\n")}\n`);
}

/** debugfs ends with success whatever happens: what counts is what is there. */
async function assertRemoved(files: ExtFiles, { files: removed, folders, rewritten }: Removals): Promise<void> {
  const left: string[] = [];
  for (const path of [...removed, ...folders]) if (await files.exists(path)) left.push(path);
  for (const { path, text } of rewritten) if ((await files.readText(path, maximumTextBytes)) !== text) left.push(path);
  if (left.length === 0) return;
  throw new Failure("tool-failed", `debugfs could not remove ${left.join(", ")} from the copy of the card`, {
    found: left.join(", "),
  });
}

/**
 * Where the journal keeps blocks of before: all of it but its superblock, in a filesystem that was unmounted cleanly. It
 * may hold what was removed.
 */
async function readOldJournal(
  { imagePath, offsetBytes, signal }: Omit<CopiedFilesystem, "workFolder" | "lengthBytes">,
  blockBytes: number,
): Promise<Extents> {
  const { output } = await readToolOutput({
    command: "debugfs",
    args: ["-R", "stat <8>", `${imagePath}?offset=${offsetBytes}`],
    maximumBytes: 1024 * 1024,
    signal,
  });
  return toExtents(
    parseBlockRuns(output.toString("utf8")).flatMap(({ logical, physical, count }) => {
      const first = logical === 0 ? physical + 1 : physical;
      return [{ start: offsetBytes + first * blockBytes, end: offsetBytes + (physical + count) * blockBytes }];
    }),
  );
}
