import { readdir } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { runTool } from "./run-tool.ts";
import { print } from "./serial-console.ts";

/** What blkid(8) finds when it probes a partition. */
export interface CardPartition {
  readonly device: string;
  readonly number: number;
  readonly filesystemType: string;
  readonly label: string;
  readonly uuid: string;
  readonly partitionUuid: string;
}

/**
 * Reads the card's partition table as a kernel does at boot. The kernel of the host scans no partition tables by
 * itself, so partx(8) tells it what an own scan would have found; what an earlier boot found is dropped first.
 */
export async function scanCard(device: string): Promise<readonly CardPartition[]> {
  await dropPartitions(device);
  const found = await runTool("partx", "--add", device).then(
    () => listPartitions(device),
    // partx fails where there is no table at all, as on a blank card.
    () => [],
  );
  const names = found.map((partition) => partition.slice(path.basename(device).length));
  print(`[    1.200000] ${path.basename(device)}: ${names.join(" ") || "unknown partition table"}`);
  return await Promise.all(found.map((partition) => probe(`/dev/${partition}`)));
}

async function dropPartitions(device: string): Promise<void> {
  // A filesystem that was mounted when the power went is still being put away by the host's kernel for a moment.
  for (let attempt = 1; (await listPartitions(device)).length > 0; attempt++) {
    try {
      await runTool("partx", "--delete", device);
    } catch (error) {
      if (attempt === 200) throw error;
      await delay(50);
    }
  }
}

async function listPartitions(device: string): Promise<string[]> {
  const disk = path.basename(device);
  const entries = await readdir(`/sys/block/${disk}/`);
  return entries
    .filter((entry) => entry.startsWith(`${disk}p`))
    .sort((one, other) => one.localeCompare(other, "en", { numeric: true }));
}

async function probe(device: string): Promise<CardPartition> {
  // Exit code 2: nothing found on it.
  const text = await runTool("blkid", "--probe", "--output", "export", device).catch(() => "");
  const values = new Map(text.split("\n").map((line) => [line.split("=", 1)[0], line.slice(line.indexOf("=") + 1)]));
  return {
    device,
    number: Number(/(\d+)$/.exec(device)?.[1]),
    filesystemType: values.get("TYPE") ?? "",
    label: values.get("LABEL") ?? "",
    uuid: values.get("UUID") ?? "",
    partitionUuid: values.get("PART_ENTRY_UUID") ?? "",
  };
}
