import { Failure } from "../../proto/failure.ts";
import { blake3 } from "../../proto/pack/blake3.ts";
import type { PlacedBytes } from "../card/table-changes.ts";
import { allocatePageAligned } from "../linux/page-aligned.ts";
import { named } from "./check-chunk.ts";
import type { OpenDevice } from "./open-device.ts";
import { readFully, syncDevice, writeFully } from "./transfer.ts";

/** Writes the backup of a partition table, durably. Throws a Failure "device-error". */
export async function writeBackup(device: OpenDevice, { offsetBytes, bytes }: PlacedBytes): Promise<void> {
  const buffer = allocatePageAligned(bytes.length);
  bytes.copy(buffer);
  await writeFully(device, { buffer, bufferOffset: 0, lengthBytes: bytes.length, offsetBytes });
  await syncDevice(device);
}

/** Reads it back. The Failure "verify-mismatch" when the disk holds something else. */
export async function findBackupDifference(
  device: OpenDevice,
  { offsetBytes, bytes }: PlacedBytes,
): Promise<Failure | undefined> {
  const found = allocatePageAligned(bytes.length);
  await readFully(device, { buffer: found, bufferOffset: 0, lengthBytes: bytes.length, offsetBytes });
  if (found.equals(bytes)) return undefined;
  return new Failure(
    "verify-mismatch",
    `${device.path} does not hold the backup of its partition table, ${bytes.length} bytes at byte ${offsetBytes}; ` +
      "the card is worn out or smaller than it claims; replace it",
    {
      range: { device: device.path, offsetBytes, lengthBytes: bytes.length },
      expected: named(blake3(bytes)),
      found: named(blake3(found)),
    },
  );
}
