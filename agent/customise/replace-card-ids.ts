import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { readTextInside } from "../../proto/linux/foreign-root.ts";
import type { CardIds } from "../../proto/operation/operation-spec.ts";
import type { PartitionIdChange } from "../../proto/system/installed-system.ts";
import { replaceIds } from "../card/replace-ids.ts";
import { flushBuffers } from "../linux/flush-buffers.ts";
import { throwIfCancelled } from "../linux/run-tool.ts";
import { placeInFatRoot, readFromFatRoot } from "./fat-folder.ts";
import { placeFile, placeOf } from "./place-file.ts";
import { withMountedRoot } from "./with-mounted-root.ts";

/** What to replace where. */
export interface ReplaceCardIds {
  /** Path of the whole disk, without a partition table yet. */
  readonly device: string;
  readonly ids: CardIds;
  /** The ids that the partition table will have. */
  readonly changes: readonly PartitionIdChange[];
  readonly signal?: AbortSignal | undefined;
}

/** Where a system names its partitions. */
const fstabPath = "/etc/fstab";
const commandLineName = "cmdline.txt";
const mostTextBytes = 64 * 1024;

/**
 * Replaces partition ids in the places in which a card names itself: cmdline.txt in the root folder of each FAT
 * partition, and /etc/fstab of the root filesystem. A file that is not there, or names none of them, stays as it is.
 * Throws a Failure: `tool-failed`, `device-error`, `cancelled`.
 */
export async function replaceCardIds({ device, ids, changes, signal }: ReplaceCardIds): Promise<void> {
  if (changes.length === 0) return;
  for (const { offsetBytes } of ids.fatPartitions) {
    const place = { device, offsetBytes, signal };
    const text = await readFromFatRoot(place, commandLineName, mostTextBytes);
    const replaced = text && replaceIds(text, changes);
    if (!replaced || replaced === text) continue;
    await withFile(replaced, (file) => placeInFatRoot(place, file, commandLineName));
  }
  throwIfCancelled(signal, `replace the partition ids on ${device}`);
  if (ids.root !== undefined)
    await withMountedRoot(device, ids.root, async (root) => {
      const text = await readTextInside(root, fstabPath, mostTextBytes);
      const replaced = text && replaceIds(text, changes);
      if (!replaced || replaced === text) return;
      await placeFile({ root, ...placeOf(fstabPath), content: replaced });
    });
  await flushBuffers({ device, signal });
}

async function withFile(content: string, use: (file: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "pallet-ids-"));
  try {
    const file = path.join(folder, "content");
    await writeFile(file, content);
    await use(file);
  } finally {
    await rm(folder, { recursive: true });
  }
}
