import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { selectRootIds } from "../../../../controller/nodes/select-root-ids.ts";
import type { BlockDevice } from "../../../../proto/disk/block-device.ts";

const uuid = "2a81f25a-2ca2-4520-a1a6-c9dd75527c3c";
const other = "0fc63daf-8483-4772-8e79-3d69d8477de4";
const root = { number: 2, offsetBytes: 2 ** 29 };

function disk(path: string, diskId: string, rootUuid: string, startBytes: number = root.offsetBytes): BlockDevice {
  const device = { path, type: "disk", partitionUuid: "", uuid: "", children: [] } as unknown as BlockDevice;
  const partition = (number: number, start: number, id: string): BlockDevice => ({
    ...device,
    path: `${path}p${number}`,
    type: "part",
    partitionNumber: number,
    startBytes: start,
    partitionUuid: diskId === "" ? "" : `${diskId}-0${number}`,
    uuid: id,
  });
  return { ...device, children: [partition(1, 2 ** 22, ""), partition(2, startBytes, rootUuid)] };
}

const card = disk("/dev/mmcblk0", "deadbeef", uuid);
const ids = { partitionUuid: "deadbeef-02", filesystemUuid: uuid };

describe("ids of a root among block devices", () => {
  it("are those of the partition with its number and start", () => {
    assert.deepEqual(selectRootIds([card], root, { disk: "/dev/mmcblk0" }), ids);
    assert.deepEqual(selectRootIds([card], root), ids);
  });

  it("are not known where there is none such", () => {
    assert.equal(selectRootIds([card], root, { disk: "/dev/sda" }), undefined);
    assert.equal(selectRootIds([disk("/dev/mmcblk0", "deadbeef", uuid, 4096)], root), undefined);
    assert.equal(selectRootIds([disk("/dev/mmcblk0", "", "")], root), undefined);
  });

  it("tell which of them another disk has too", () => {
    const sameImage = disk("/dev/sda", "deadbeef", uuid);
    const grown = disk("/dev/sda", "0badcafe", uuid);
    const at = { disk: "/dev/mmcblk0" };
    const all = { ...ids, filesystemUuidShared: true, partitionUuidShared: true };
    assert.deepEqual(selectRootIds([card, sameImage], root, at), all);
    assert.deepEqual(selectRootIds([card, grown], root, at), { ...ids, filesystemUuidShared: true });
  });

  it("of several disks laid out alike are those with the known UUID, or nobody's", () => {
    const two = [disk("/dev/sda", "0badcafe", other), card];
    assert.deepEqual(selectRootIds(two, root, { known: { partitionUuid: "", filesystemUuid: uuid } }), ids);
    assert.equal(selectRootIds(two, root), undefined);
  });
});
