import { mkdtemp, open, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import type { TestContext } from "node:test";
import { openDevice } from "../../../../agent/write/open-device.ts";
import type { WriteImageParts } from "../../../../agent/write/write-image.ts";
import { aDevice } from "../../proto/disk/a-device.ts";
import { impatient } from "../fetch/fetch-settings.ts";

/** A plain file in place of a disk: O_DIRECT works on it, the kernel's knowledge of partitions is left out. */
export interface DiskFile {
  readonly path: string;
  /** What to give to writeImage(); `calls` tells what was used, in order. */
  readonly parts: WriteImageParts;
  readonly calls: string[];
  content(): Promise<Buffer>;
}

/** A "disk" filled with 0xAA, as if something had been on it. */
export async function aDiskFile(
  test: TestContext,
  sizeBytes: number,
  overrides: Partial<WriteImageParts> = {},
  sectorBytes = 512,
): Promise<DiskFile> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "pallet-disk-"));
  test.after(() => rm(folder, { recursive: true }));
  const file = path.join(folder, "disk");
  const handle = await open(file, "w");
  await handle.writeFile(Buffer.alloc(sizeBytes, 0xaa));
  await handle.close();
  const calls: string[] = [];
  const disk = aDevice("disk", { path: file, sizeBytes, removable: true, logicalSectorBytes: sectorBytes });
  return {
    path: file,
    calls,
    content: () => readFile(file),
    parts: {
      async guard() {
        calls.push("guard");
        return disk;
      },
      async eraseTable(_device, { firstPartitionBytes }) {
        calls.push("erase");
        const writing = await open(file, "r+");
        await writing.write(Buffer.alloc(firstPartitionBytes), 0, firstPartitionBytes, 0);
        await writing.close();
      },
      async customise() {
        calls.push("customise");
        return {};
      },
      async growFilesystem() {
        calls.push("grow");
        return { grown: true };
      },
      async replaceIds() {
        calls.push("ids");
      },
      async announcePartitions() {
        calls.push("announce");
      },
      openDevice,
      fetchSettings: impatient,
      ...overrides,
    },
  };
}
