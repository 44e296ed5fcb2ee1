import { type FileHandle, open } from "node:fs/promises";
import { Failure } from "../../../proto/failure.ts";
import { execa } from "../../../proto/linux/leashed-execa.ts";
import { systemPath } from "../../../proto/linux/system-path.ts";
import { sectorBytes } from "../../../proto/pack/image-bounds.ts";
import type { PartitionTableKind } from "../../../proto/words/partition-table-kind.ts";
import { bootCodeBytes } from "../formats/boot-record.ts";
import { type DerivationPlan, underivable } from "./plan-derivation.ts";
import { parseDiskId, renderBootRecord, renderTableScript } from "./render-derived-table.ts";

const copyBytes = 1 << 20;

/**
 * Makes everything before the first partition: the old partition table with the ids of the new one and the planned
 * lengths, and around it the boot code of the new image. Both files are raw images; `target` is changed.
 */
export async function deriveTable(
  targetPath: string,
  sourcePath: string,
  plan: DerivationPlan,
  kind: PartitionTableKind,
  signal: AbortSignal,
): Promise<void> {
  const changes = {
    partitionUuids: new Map(plan.partitions.map(({ next }) => [next.number, next.partitionUuid])),
    lengths: new Map(
      plan.partitions
        .filter(({ old, lengthBytes }) => lengthBytes > old.lengthBytes)
        .map(({ old, lengthBytes }) => [old.number, lengthBytes]),
    ),
  };
  let tableEnd = sectorBytes;
  if (kind === "gpt") {
    const [dump, wanted] = [await dumpTable(targetPath, signal), await dumpTable(sourcePath, signal)];
    const diskId = parseDiskId(wanted);
    if (diskId === undefined) throw new Failure("image-damaged", "the new image's partition table has no id");
    const script = renderTableScript(dump, diskId, changes);
    await sfdisk(
      ["--no-reread", "--no-tell-kernel", "--wipe=never", "--wipe-partitions=never", targetPath],
      signal,
      script,
    );
    tableEnd = firstUsableSector(dump) * sectorBytes;
  }
  const target = await open(targetPath, "r+");
  try {
    const source = await open(sourcePath, "r");
    try {
      const old = await read(target, 0, sectorBytes);
      const next = await read(source, 0, sectorBytes);
      // The protective record of a GPT has boot code, too, and no id.
      const record = kind === "mbr" ? renderBootRecord(old, next, changes) : Buffer.from(old);
      if (kind === "gpt") next.copy(record, 0, 0, bootCodeBytes);
      await target.write(record, 0, record.length, 0);
      const [room, wanted] = [
        Math.min(...plan.partitions.map(({ old: { offsetBytes } }) => offsetBytes)),
        Math.min(...plan.partitions.map(({ next: { offsetBytes } }) => offsetBytes)),
      ];
      await copyBootCode(target, source, { from: tableEnd, room, wanted }, signal);
    } finally {
      await source.close();
    }
  } finally {
    await target.close();
  }
}

/** Copies everything between the table and the first partition, where boot loaders of some boards are. */
async function copyBootCode(
  target: FileHandle,
  source: FileHandle,
  { from, room, wanted }: { readonly from: number; readonly room: number; readonly wanted: number },
  signal: AbortSignal,
): Promise<void> {
  for (let at = from; at < Math.max(room, wanted); at += copyBytes) {
    signal.throwIfAborted();
    const bytes = Buffer.alloc(Math.min(copyBytes, Math.max(room, wanted) - at));
    const within = Math.max(0, Math.min(bytes.length, wanted - at));
    if (within > 0) (await read(source, at, within)).copy(bytes);
    const kept = Math.max(0, Math.min(bytes.length, room - at));
    if (bytes.subarray(kept).some((byte) => byte !== 0))
      throw underivable("it has boot code where the old image's first partition is");
    await target.write(bytes, 0, kept, at);
  }
}

/** Gives a partition the bytes of another one, and zeros behind them. */
export async function copyPartition(
  targetPath: string,
  sourcePath: string,
  { old, next, lengthBytes }: DerivationPlan["partitions"][number],
  signal: AbortSignal,
): Promise<void> {
  const source = await open(sourcePath, "r");
  try {
    const target = await open(targetPath, "r+");
    try {
      for (let at = 0; at < lengthBytes; at += copyBytes) {
        signal.throwIfAborted();
        const bytes = Buffer.alloc(Math.min(copyBytes, lengthBytes - at));
        const within = Math.max(0, Math.min(bytes.length, next.lengthBytes - at));
        if (within > 0) (await read(source, next.offsetBytes + at, within)).copy(bytes);
        await target.write(bytes, 0, bytes.length, old.offsetBytes + at);
      }
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

async function read(file: FileHandle, offsetBytes: number, lengthBytes: number): Promise<Buffer> {
  const bytes = Buffer.alloc(lengthBytes);
  const { bytesRead } = await file.read(bytes, 0, lengthBytes, offsetBytes);
  if (bytesRead < lengthBytes) throw new Failure("image-damaged", "the image is cut short");
  return bytes;
}

function dumpTable(path: string, signal: AbortSignal): Promise<string> {
  return sfdisk(["--dump", path], signal);
}

function firstUsableSector(dump: string): number {
  return Number(/^first-lba: *(\d+)$/m.exec(dump)?.[1] ?? 34);
}

async function sfdisk(args: readonly string[], signal: AbortSignal, input = ""): Promise<string> {
  const env = { LC_ALL: "C.UTF-8", PATH: systemPath(process.env["PATH"]) };
  try {
    return (await execa("sfdisk", [...args], { input, env, cancelSignal: signal })).stdout;
  } catch (cause) {
    if (signal.aborted) throw new Failure("cancelled", "sfdisk was cancelled", { cause });
    const said = (cause as { stderr?: string }).stderr?.trim() || (cause as Error).message;
    throw new Failure("tool-failed", `sfdisk failed: ${said.split("\n").slice(-2).join("; ")}`, { cause });
  }
}
