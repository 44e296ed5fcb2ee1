import { mkdir, open, truncate } from "node:fs/promises";
import { join } from "node:path";
import type { PartitionTableKind } from "../../../proto/words/partition-table-kind.ts";
import type { FatPlace } from "../filesystems/fat/read-fat.ts";
import { deriveFat } from "../filesystems/fat/write-fat.ts";
import { deriveExt } from "./derive-ext.ts";
import { copyPartition, deriveTable } from "./derive-table.ts";
import type { DerivationPlan, PartitionPlan } from "./plan-derivation.ts";

/** The raw images that a derivation works on, and what it reports to. */
export interface Derivation {
  /** A copy of the old image, which becomes the new one. */
  readonly targetPath: string;
  /** An empty folder of this process alone. */
  readonly workFolder: string;
  readonly signal: AbortSignal;
  readonly onStep: (step: string) => void;
}

/**
 * Gives a copy of the old image the content of another image, as planned. Throws Failure as deriveExt and deriveFat do;
 * the copy is of no use then.
 */
export async function deriveFromImage(
  sourcePath: string,
  plan: DerivationPlan,
  kind: PartitionTableKind,
  { targetPath, workFolder, signal, onStep }: Derivation,
): Promise<void> {
  await truncate(targetPath, plan.sizeBytes);
  for (const partition of plan.partitions) {
    const { how, old, next, lengthBytes } = partition;
    const step = `laying out partition ${old.number}`;
    onStep(step);
    if (how === "bytes") await copyPartition(targetPath, sourcePath, partition, signal);
    else if (how === "fat") {
      await withPlaces(targetPath, sourcePath, partition, (target, source) =>
        deriveFat(target, source, { keepIdentity: false, signal }),
      );
    } else {
      const folder = join(workFolder, `partition-${old.number}`);
      await mkdir(folder);
      await deriveExt({
        target: { path: targetPath, offsetBytes: old.offsetBytes, lengthBytes },
        grown: lengthBytes > old.lengthBytes,
        source: { kind: "image", place: { path: sourcePath, ...next }, uuid: next.uuid, label: next.label },
        workFolder: folder,
        signal,
        onPercent: (percent) => onStep(`${step} ${percent}%`),
      });
    }
  }
  // Last, as the table is written by a program that looks at the partitions, too.
  await deriveTable(targetPath, sourcePath, plan, kind, signal);
}

/** Opens the two filesystems of a partition while `work` runs. */
async function withPlaces(
  targetPath: string,
  sourcePath: string,
  { old, next, lengthBytes }: PartitionPlan,
  work: (target: FatPlace, source: FatPlace) => Promise<void>,
): Promise<void> {
  const target = await open(targetPath, "r+");
  try {
    const source = await open(sourcePath, "r");
    try {
      await work(
        { file: target, offsetBytes: old.offsetBytes, lengthBytes },
        { file: source, offsetBytes: next.offsetBytes, lengthBytes: next.lengthBytes },
      );
    } finally {
      await source.close();
    }
  } finally {
    await target.close();
  }
}
