// Whether a disk may be erased is decided by the agent's guard and by the controller's choice of a disk: here each is
// held to the other.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import fc from "fast-check";
import { guardDisk } from "../../../../agent/disk/guard.ts";
import { parseLsblk } from "../../../../agent/inventory/parse-lsblk.ts";
import { describeContent } from "../../../../controller/cli/render/render-disks.ts";
import { viewDisk } from "../../../../controller/cli/view/disk-view.ts";
import { contentsOf } from "../../../../controller/reimage/plan/plan-rollout.ts";
import { type DiskCriteria, selectDisk } from "../../../../controller/reimage/plan/select-disk.ts";
import type { BlockDevice } from "../../../../proto/disk/block-device.ts";
import { blockDeviceToWire } from "../../../../proto/disk/block-device-codec.ts";
import { withDescendants } from "../../../../proto/disk/device-tree.ts";
import { judgeDisk, type RunningRoot } from "../../../../proto/disk/judge-disk.ts";
import { Failure } from "../../../../proto/failure.ts";
import { aDevice } from "./a-device.ts";

const gigabyte = 1e9;
const nfsRoot: RunningRoot = { source: "10.77.0.1:/srv/rootfs", disk: "" };

/** What a node knows of itself when someone asks for one of its disks. */
interface Situation {
  readonly devices: readonly BlockDevice[];
  readonly root: RunningRoot;
  readonly minBytes: number;
}

const folder = path.resolve(import.meta.dirname, "../../../golden/inventory");
const captured = readdirSync(folder)
  .filter((name) => name.endsWith(".lsblk.json"))
  .map((name) => ({ name, devices: parseLsblk(readFileSync(path.join(folder, name), "utf8")) }));

/** Kernel names, of disks and of what calls itself one. */
const names = [
  ["mmcblk0", "mmcblk1", "sda", "sdb", "nvme0n1", "vda", "loop0", "loop7"],
  ["mmcblk0boot0", "mmcblk0boot1", "mmcblk0rpmb", "mmcblk0gp0", "mmcblk0gp3", "zram0", "ram0"],
  ["nbd0", "nbd15", "mtdblock0", "mtdblock3", "fd0", "sr0", "md0", "dm-0"],
].flat();

const types = ["disk", "disk", "disk", "loop", "rom", "part", "raid1", "crypt", "lvm", "mpath", ""];

/** Seldom one that protects: a disk with one is never admitted. What is stacked on a disk ends with the system. */
const labels = {
  label: fc.oneof({ weight: 30, arbitrary: fc.constantFrom("", "rootfs") }, fc.constant("Pallet-Keep")),
  partitionLabel: fc.oneof({ weight: 30, arbitrary: fc.constantFrom("", "PALLET") }, fc.constant("PALLET-KEEP")),
};

/** What is on a device, some levels deep; names are given later. */
const contentOf = (depth: number): fc.Arbitrary<BlockDevice> =>
  fc
    .record({
      type: fc.constantFrom("part", "part", "part", "crypt", "lvm", "raid1", "raid0", "loop", "disk"),
      mountpoints: fc.constantFrom([], [], [], [], ["/"], ["/boot/firmware"], ["/media/a", "/media/b"], ["[SWAP]"]),
      readOnly: fc.constantFrom(false, false, false, true),
      ...labels,
      children: depth === 0 ? fc.constant([]) : fc.array(contentOf(depth - 1), { maxLength: 2 }),
    })
    .map((changes) => aDevice("unnamed", changes));

/** Each child gets a name of its own, but for arrays: those stand below each of their members under one name. */
function withNames(device: BlockDevice): BlockDevice {
  const children = device.children.map((child, index) => {
    const name = child.type.startsWith("raid") ? "md127" : `${device.name}p${index + 1}`;
    return withNames({ ...child, name, path: `/dev/${name}`, partitionNumber: child.type === "part" ? index + 1 : 0 });
  });
  return { ...device, children };
}

const anyDevice = fc
  .record({
    name: fc.constantFrom(...names),
    type: fc.constantFrom(...types),
    sizeBytes: fc.constantFrom(0, gigabyte - 1, gigabyte, 16 * gigabyte, 16 * gigabyte),
    mountpoints: fc.constantFrom([], [], [], [], ["/"], ["/mnt"], ["[SWAP]"]),
    readOnly: fc.constantFrom(false, false, false, true),
    transport: fc.constantFrom("", "mmc", "usb"),
    logicalSectorBytes: fc.constantFrom(0, 512, 512, 4096),
    ...labels,
    children: fc.oneof(fc.constant([]), fc.array(contentOf(2), { maxLength: 3 })),
  })
  .map(({ name, ...changes }) => withNames(aDevice(name, changes)));

const situations: fc.Arbitrary<Situation> = fc
  .uniqueArray(anyDevice, { maxLength: 4, selector: ({ name }) => name })
  .chain((devices) => {
    const paths = devices.flatMap(withDescendants).map((device) => device.path);
    const anyPath = paths.length === 0 ? fc.constant("") : fc.constantFrom(...paths);
    const disk = fc.constantFrom("", ...devices.map((device) => device.path));
    const root = fc.oneof(
      fc.constant(nfsRoot),
      fc.record({ source: fc.constant("/dev/root"), disk }),
      fc.record({ source: anyPath, disk }),
    );
    return fc.record({ devices: fc.constant(devices), root, minBytes: fc.constantFrom(0, 1, gigabyte, 8 * gigabyte) });
  });

function guard({ devices, root, minBytes }: Situation, path: string): BlockDevice | Failure {
  try {
    return guardDisk(devices, { path, root, minBytes, tableSectorBytes: 512 });
  } catch (error) {
    assert.ok(error instanceof Failure, String(error));
    return error;
  }
}

const select = ({ devices, ...criteria }: Situation, more: Partial<DiskCriteria> = {}) =>
  selectDisk(devices, { ...criteria, ...more });

/** A verdict as plain data; that of a device is its path. */
const verdictOf = (verdict: BlockDevice | Failure) =>
  verdict instanceof Failure ? { ...verdict.evidence, reason: verdict.reason, message: verdict.message } : verdict.path;

/** Everything that anyone might name. */
const pathsOf = ({ devices }: Situation): readonly string[] => [
  ...new Set(devices.flatMap(withDescendants).map((device) => device.path)),
  "/dev/absent0",
  "mmcblk0",
  "/dev/../dev/mmcblk0",
  "",
];

/**
 * The devices when the node has rebooted into the agent: nothing is mounted, and nothing but partitions is on a disk.
 */
function afterReboot(device: BlockDevice): BlockDevice {
  const children = device.children.filter((child) => child.type === "part").map(afterReboot);
  return { ...device, mountpoints: [], children };
}

function holdToEachOther(situation: Situation): void {
  for (const path of pathsOf(situation)) {
    const expected = verdictOf(guard(situation, path));
    assert.deepEqual(verdictOf(select(situation, { path })), expected, `of ${path}, when it is named`);
  }
  const chosen = select(situation);
  if (!(chosen instanceof Failure)) {
    assert.equal(verdictOf(guard(situation, chosen.path)), chosen.path, `${chosen.path} was chosen`);
    return;
  }
  if (chosen.reason === "no-disk-chosen") return;
  const verdicts = situation.devices.map((device) => verdictOf(guard(situation, device.path)));
  assert.ok(
    verdicts.some((verdict) => typeof verdict === "object" && verdict.message === chosen.message),
    `the guard never says what was said of the choice: ${chosen.message}`,
  );
}

function holdToTheGuardOfTheAgent(situation: Situation): void {
  const then: Situation = { ...situation, devices: situation.devices.map(afterReboot), root: nfsRoot };
  const chosen = select(situation, { rebootsFirst: true });
  if (!(chosen instanceof Failure)) {
    assert.equal(verdictOf(guard(then, chosen.path)), chosen.path, `${chosen.path} was chosen before the reboot`);
  }
  for (const device of situation.devices) {
    const { path } = device;
    const before = select(situation, { path, rebootsFirst: true });
    // A label inside of what is stacked on the disk is not seen any more.
    if (before instanceof Failure && before.reason === "protected") continue;
    assert.deepEqual(verdictOf(before), verdictOf(guard(then, path)), `of ${path}, when it is named before the reboot`);
  }
}

describe("whether a disk may be erased", () => {
  for (const { name, devices } of captured) {
    it(`is one decision for guard and choice: ${name}`, () => {
      const disks = devices.map((device) => device.path);
      const sources = devices.flatMap(withDescendants).map((device) => device.path);
      const roots = [
        nfsRoot,
        ...["", ...disks].map((disk) => ({ source: "/dev/root", disk })),
        ...sources.map((source) => ({ source, disk: "" })),
      ];
      for (const root of roots) {
        for (const minBytes of [0, gigabyte, 1e15]) {
          holdToEachOther({ devices, root, minBytes });
          holdToTheGuardOfTheAgent({ devices, root, minBytes });
        }
      }
    });
  }

  it("is one decision for guard and choice, whatever the devices", () => {
    fc.assert(fc.property(situations, holdToEachOther), { numRuns: 2000 });
  });

  it("is decided before a reboot into the agent as the guard will decide it there", () => {
    fc.assert(fc.property(situations, holdToTheGuardOfTheAgent), { numRuns: 2000 });
  });

  it("is asked of devices of which some are admitted and each reason is given", () => {
    const seen = new Map<string, number>();
    for (const situation of fc.sample(situations, { numRuns: 3000, seed: 7 })) {
      for (const device of situation.devices) {
        const verdict = guard(situation, device.path);
        const kind = verdict instanceof Failure ? verdict.reason : "admitted";
        seen.set(kind, (seen.get(kind) ?? 0) + 1);
      }
    }
    const kinds = [
      "admitted",
      "not-a-disk",
      "protected",
      "holds-running-root",
      "mounted",
      "in-use",
      "read-only",
      "too-small",
      "unsupported",
    ];
    for (const kind of kinds) assert.ok((seen.get(kind) ?? 0) >= 20, `${kind}: ${seen.get(kind) ?? 0} times`);
  });

  const noDisks: readonly (readonly [name: string, changes: Partial<BlockDevice>, finding: RegExp])[] = [
    ["zram0", {}, /memory/],
    ["ram1", {}, /memory/],
    ["mmcblk0boot1", {}, /hardware partition of an eMMC/],
    ["mmcblk0rpmb", {}, /hardware partition of an eMMC/],
    ["mmcblk0gp2", {}, /hardware partition of an eMMC/],
    ["mtdblock0", {}, /the board's flash memory/],
    ["nbd3", {}, /network block device/],
    ["fd0", {}, /floppy/],
    ["sda", { sizeBytes: 0 }, /without a medium/],
    ["sr0", { type: "rom" }, /of type "rom"/],
    ["md0", { type: "raid1" }, /of type "raid1"/],
  ];
  for (const [name, changes, finding] of noDisks) {
    it(`is refused of ${name} by both, and its partitions are refused with it`, () => {
      const part = aDevice(`${name}p1`, { type: "part", partitionNumber: 1 });
      const device = aDevice(name, { type: "disk", partitionNumber: 0, ...changes, children: [part] });
      const situation = { devices: [device], root: nfsRoot, minBytes: 1 };
      for (const verdict of [guard(situation, device.path), select(situation, { path: device.path })]) {
        assert.ok(verdict instanceof Failure);
        assert.equal(verdict.reason, "not-a-disk");
        assert.match(verdict.message, finding);
      }
      assert.equal((select(situation) as Failure).reason, "no-disk-chosen");
      const ofPartition = judgeDisk([device], { path: part.path, root: nfsRoot, allowPartition: true });
      assert.ok(ofPartition instanceof Failure);
      assert.match(ofPartition.message, new RegExp(`on ${device.path}, which is .*${finding.source}`));
    });
  }

  it("is asked with the same contents in view, whether it is a rollout or a single command that erases", () => {
    for (const { name, devices } of captured) {
      for (const disk of devices) {
        const ofRollout = contentsOf(disk);
        for (const line of describeContent(viewDisk(blockDeviceToWire(disk)))) {
          const [path = "", what = ""] = line.split(": ");
          const content = what.replace(/^(mbr|gpt) partition table(, )?/, "").split(", ")[0] ?? "";
          const isTold = ofRollout.some((told) => told.startsWith(`${path}: `) && told.includes(content));
          assert.ok(content === "" || isTold, `${name}: ${line}`);
        }
      }
    }
  });

  it("counts what is built on a disk, unless the system that built it ends before the write", () => {
    const volume = aDevice("dm-0", { type: "lvm" });
    const card = aDevice("mmcblk0", { children: [aDevice("mmcblk0p2", { children: [volume] })] });
    const situation = { devices: [card], root: nfsRoot, minBytes: 1 };
    assert.equal((select(situation) as Failure).reason, "in-use");
    assert.equal(verdictOf(select(situation, { rebootsFirst: true })), card.path);
  });
});
