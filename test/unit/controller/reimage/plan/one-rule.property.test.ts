// The plan and the agent's guard judge by one rule: whatever the one accepts on given devices, the other does.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { guardDisk } from "../../../../../agent/disk/guard.ts";
import { selectDisk } from "../../../../../controller/reimage/plan/select-disk.ts";
import type { BlockDevice } from "../../../../../proto/disk/block-device.ts";
import { demandOfImage } from "../../../../../proto/disk/demand-of-image.ts";
import { Failure } from "../../../../../proto/failure.ts";
import { disk } from "../fakes/fake-disk.ts";

const GiB = 2 ** 30;
const minBytes = 4 * GiB;
const nfs = { source: "10.0.0.1:/rootfs", disk: "" };

const aPart = (path: string) =>
  fc
    .record({
      mountpoints: fc.constantFrom<readonly string[]>([], [], ["/mnt"], ["/"], ["[SWAP]"]),
      holder: fc.constantFrom(undefined, undefined, "lvm", "crypt"),
      readOnly: fc.boolean(),
    })
    .map(({ mountpoints, holder, readOnly }) =>
      disk({
        ...{
          path,
          type: "part",
          partitionNumber: 1,
          sizeBytes: GiB,
          mountpoints,
          readOnly: readOnly && mountpoints.length === 0,
        },
        children: holder === undefined ? [] : [disk({ path: "/dev/mapper/x", type: holder, mountpoints })],
      }),
    );
const aDisk = (path: string) =>
  fc
    .record({
      type: fc.constantFrom("disk", "disk", "disk", "rom", "loop", "raid1"),
      sizeBytes: fc.constantFrom(0, GiB, minBytes - 1, minBytes, 32 * GiB),
      readOnly: fc.boolean(),
      logicalSectorBytes: fc.constantFrom(0, 512, 512, 4096),
      parts: fc.array(aPart(`${path}p1`), { maxLength: 1 }),
    })
    .map(({ parts, ...fields }) => disk({ path, ...fields, children: parts }));
const devices = fc
  .tuple(
    ...["/dev/mmcblk0", "/dev/mmcblk1", "/dev/sda", "/dev/nvme0n1", "/dev/loop0", "/dev/zram0"].map((path) =>
      fc.option(aDisk(path), { nil: undefined }),
    ),
  )
  .map((all) => all.filter((device) => device !== undefined));
const root = fc.constantFrom(
  nfs,
  { source: "/dev/mmcblk0p1", disk: "/dev/mmcblk0" },
  { source: "/dev/root", disk: "/dev/sda" },
);
const paths = [
  "/dev/mmcblk0",
  "/dev/mmcblk0p1",
  "/dev/sda",
  "/dev/mmcblk1",
  "/dev/loop0",
  "/dev/disk/by-id/x",
  "mmcblk0",
];

function guard(seen: readonly BlockDevice[], path: string, running: typeof nfs): BlockDevice | Failure {
  try {
    return guardDisk(seen, { ...demandOfImage(path, minBytes), root: running });
  } catch (error) {
    return Failure.from(error);
  }
}

/** What the same devices are to a system that was booted over the network. */
function afterReboot(device: BlockDevice): BlockDevice {
  const children = device.children.filter(({ type }) => type === "part").map(afterReboot);
  return { ...device, mountpoints: [], children };
}

const accepts = (verdict: BlockDevice | Failure): boolean => !(verdict instanceof Failure);

describe("one rule", () => {
  it("a disk that is named is accepted by the plan if and only if the guard accepts it", () => {
    fc.assert(
      fc.property(devices, root, fc.constantFrom(...paths), (seen, running, path) => {
        const planned = selectDisk(seen, { path, minBytes, root: running });
        const guarded = guard(seen, path, running);
        assert.equal(accepts(planned), accepts(guarded));
        if (planned instanceof Failure && guarded instanceof Failure) assert.equal(planned.message, guarded.message);
      }),
      { numRuns: 1000 },
    );
  });

  it("a disk that the plan chooses by itself is one that the guard accepts", () => {
    fc.assert(
      fc.property(devices, root, (seen, running) => {
        const planned = selectDisk(seen, { minBytes, root: running });
        if (planned instanceof Failure) return;
        assert.ok(accepts(guard(seen, planned.path, running)));
      }),
      { numRuns: 1000 },
    );
  });

  it("what is accepted of a running system is what the guard accepts once it has ended", () => {
    fc.assert(
      fc.property(devices, root, fc.constantFrom(...paths), (seen, running, path) => {
        const planned = selectDisk(seen, { path, minBytes, root: running, rebootsFirst: true });
        assert.equal(accepts(planned), accepts(guard(seen.map(afterReboot), path, nfs)));
      }),
      { numRuns: 1000 },
    );
  });
});
