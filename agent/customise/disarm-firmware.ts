import { Failure } from "../../proto/failure.ts";
import type { DiskFirmware } from "../../proto/operation/operation-spec.ts";
import { flushBuffers } from "../linux/flush-buffers.ts";
import { throwIfCancelled } from "../linux/run-tool.ts";
import { listFatRoot, renameInFatRoot } from "./fat-folder.ts";
import { planRenamings } from "./firmware-files.ts";
import { reformatFat } from "./reformat-fat.ts";

/** Where to keep the board's firmware from booting. */
export interface DisarmFirmware {
  /** Path of the whole disk that holds the image, without a partition table yet. */
  readonly device: string;
  readonly firmware: DiskFirmware;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes a disk one that the board's own firmware does not boot from, and makes sure of it by reading the disk again. A
 * partition that holds none of the files stays as it is byte for byte when they are to be renamed.
 *
 * Throws a Failure: `verify-mismatch` when a file is still there, `invalid`, `tool-failed`, `cancelled`.
 */
export async function disarmFirmware({ device, firmware, signal }: DisarmFirmware): Promise<void> {
  const { action, partitions, files } = firmware;
  for (const { offsetBytes, lengthBytes } of partitions) {
    throwIfCancelled(signal, `keep the firmware from booting ${device}`);
    const place = { device, offsetBytes, signal };
    if (action === "reformat") await reformatFat({ ...place, lengthBytes });
    else
      for (const { from, to } of planRenamings(await listFatRoot(place), files)) {
        await renameInFatRoot(place, from, to);
      }
    await flushBuffers({ device, signal });
    const left = await listFatRoot(place);
    const bootable = action === "reformat" ? left : planRenamings(left, files).map(({ from }) => from);
    if (bootable.length === 0) continue;
    const found = bootable.join(", ");
    throw new Failure("verify-mismatch", `${device} still holds ${found}, from which the board could boot`, {
      range: { device, offsetBytes, lengthBytes },
      expected: action === "reformat" ? "an empty FAT filesystem" : `none of ${files.join(", ")}`,
      found,
    });
  }
}
