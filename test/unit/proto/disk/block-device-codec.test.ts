import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { BlockDevice } from "../../../../proto/disk/block-device.ts";
import { blockDeviceFromWire, blockDeviceToWire } from "../../../../proto/disk/block-device-codec.ts";
import * as wire from "../../../../proto/gen/pallet/v1/disk.ts";

const text = fc.string({ maxLength: 8 });
const bytes = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const small = fc.nat({ max: 2 ** 31 });

const leaf = {
  name: text,
  path: text,
  type: text,
  sizeBytes: bytes,
  partitionTable: text,
  partitionTableUuid: text,
  partitionUuid: text,
  partitionLabel: text,
  partitionNumber: small,
  startBytes: bytes,
  filesystemType: text,
  label: text,
  uuid: text,
  mountpoints: fc.array(text, { maxLength: 3 }),
  readOnly: fc.boolean(),
  removable: fc.boolean(),
  model: text,
  serial: text,
  cid: text,
  transport: text,
  logicalSectorBytes: small,
};
const partition = fc.record({ ...leaf, children: fc.constant([]) });
const device: fc.Arbitrary<BlockDevice> = fc.record({ ...leaf, children: fc.array(partition, { maxLength: 2 }) });

describe("a block device", () => {
  it("is read as it was sent, with everything on it", () => {
    fc.assert(
      fc.property(device, (sent) => {
        const travelled = wire.BlockDevice.decode(wire.BlockDevice.encode(blockDeviceToWire(sent)).finish());
        assert.deepEqual(blockDeviceFromWire(travelled), structuredClone(sent));
      }),
    );
  });
});
