import assert from "node:assert/strict";
import { test } from "node:test";
import type { Image, Partition } from "../../../../../controller/images/catalogue/image.ts";
import type { Node } from "../../../../../controller/nodes/node.ts";
import { planReimage } from "../../../../../controller/reimage/plan/plan-rollout.ts";
import { seenOn } from "../../../../../controller/reimage/plan/seen-disk.ts";
import { Failure } from "../../../../../proto/failure.ts";
import type { NodeId } from "../../../../../proto/names/node-id.ts";
import { capabilities } from "../../../../../proto/operation/capabilities.ts";
import { disk } from "../fakes/fake-disk.ts";
import { image } from "../fakes/fake-rack.ts";

const node: Node = {
  id: "02:00:00:00:00:01" as NodeId,
  name: "pi-1",
  accepted: true,
  bootTarget: { kind: "agent" },
  lastSeenAt: 0,
  discoveredAt: 0,
  agent: { version: "1", role: "netboot", instanceId: "a", port: 7710, capabilities },
  facts: {
    model: "Raspberry Pi 4 Model B Rev 1.4",
    serial: "10000000a1b2c3d4",
    interfaces: [],
    memoryBytes: 2 ** 32,
    cpuCount: 4,
    cpuModel: "Cortex-A72",
    kernel: "6.1",
    architecture: "arm64",
    bootId: "b",
    root: { source: "10.0.0.1:/rootfs", filesystemType: "overlay", disk: "" },
    hostname: "pi",
    uptimeSeconds: 1,
  },
};
/** The image with a 32-bit kernel, and with what a Pi 4's firmware loads of it. */
const narrow: Image = {
  ...image,
  boot: {
    ...image.boot,
    kernelFormat: "arm32-zimage",
    firmware: {
      folder: "firmware",
      files: ["config.txt", "kernel7l.img", "bcm2711-rpi-4-b.dtb"],
      configTxt: "config.txt",
      boots: [
        {
          boards: ["pi4"],
          kernel: "kernel7l.img",
          kernelFormat: "arm32-zimage",
          initrds: [],
          osPrefix: "",
          overlayPrefix: "overlays/",
        },
      ],
    },
  },
};
const resident: Node = { ...node, agent: { version: "1", role: "resident", instanceId: "a", port: 7710 } };
const part = (number: number, filesystemType: string, label: string, mountpoints: string[] = []) =>
  disk({
    path: `/dev/mmcblk0p${number}`,
    type: "part",
    sizeBytes: number * 2 ** 28,
    filesystemType,
    label,
    mountpoints,
  });
const card = disk({ children: [part(1, "vfat", "bootfs"), part(2, "ext4", "rootfs", ["/"]), part(3, "", "")] });
const idle = disk({ children: [part(1, "vfat", "bootfs"), part(2, "ext4", "rootfs")] });

test("a plan names the disk, every partition that would be lost, the bytes and the steps", () => {
  assert.deepEqual(planReimage({ node, online: true, devices: [idle] }, image, {}), {
    nodeId: node.id,
    nodeName: "pi-1",
    disk: "/dev/mmcblk0",
    seen: seenOn(node.id, idle),
    diskBytes: 32 * 2 ** 30,
    erases: ['/dev/mmcblk0p1: 256 MiB, vfat "bootfs"', '/dev/mmcblk0p2: 512 MiB, ext4 "rootfs"'],
    writeBytes: 2 ** 29 + 2 ** 28,
    steps: [
      "Set the boot target to agent.",
      "Erase the partition table of /dev/mmcblk0.",
      "Write debian-12 (1 GiB, sha256 d1d1d1d1d1d1) to /dev/mmcblk0, except what is already there.",
      "Read it back and compare.",
      "Root partition 2 grows to the end of the card, and its ext4 with it.",
      "Install the resident agent and the stamp of this reimage into the new system.",
      "Write the partition table.",
      "Set the boot target to local and reboot.",
      "Wait for the proof that pi-1 runs debian-12 from /dev/mmcblk0.",
    ],
  });
});

test("a node in an installed system is planned with its own card, mounts and all, and a reboot first", () => {
  const plan = planReimage({ node: resident, online: true, devices: [card] }, image, {});
  assert.equal(plan.disk, "/dev/mmcblk0");
  assert.equal(plan.refusal, undefined);
  assert.equal(plan.erases[1], '/dev/mmcblk0p2: 512 MiB, ext4 "rootfs", mounted at /');
  assert.equal(plan.erases[2], "/dev/mmcblk0p3: 768 MiB, content unknown");
  assert.equal(plan.steps[1], "Reboot pi-1 out of its installed system into the netbooted agent.");
  assert.match(plan.note ?? "", /will be rebooted into the agent first/);
});

test("an image that would protect the card that it is written to is refused, by either name of a partition", () => {
  const [first, ...others] = image.partitions;
  assert.ok(first);
  const cases: readonly (readonly [Partial<Partition>, RegExp])[] = [
    [{ label: "Keep" }, /image debian-12 on it would be protected.*take "Keep" out of disks\.protected\.labels/],
    [{ partitionLabel: "keep" }, /partition 1 has the label "keep"/],
    [{ label: "PALLET-KEEP" }, /give it another label by hand.*, and add the image again$/],
  ];
  for (const [named, message] of cases) {
    const protecting: Image = { ...image, partitions: [{ ...first, ...named }, ...others] };
    const { refusal } = planReimage({ node, online: true, devices: [idle] }, protecting, {}, "auto", "auto", {
      labels: ["keep"],
      serials: [],
    });
    assert.equal(refusal?.reason, "protected");
    assert.match(refusal?.message ?? "", message);
  }
});

test("a plan that leaves the image untouched says so, and what that means for the proof and for the next time", () => {
  const plan = planReimage({ node, online: true, devices: [idle] }, image, { noResident: true });
  assert.ok(plan.steps.includes("Leave the image as it is: no stamp, no resident agent."));
  assert.ok(!plan.steps.some((step) => step.includes("Place the")));
  assert.match(
    plan.steps.at(-1) ?? "",
    /has fetched the kernel of debian-12 and answers on the network \(a weak proof\)/,
  );
  assert.match(plan.note ?? "", /before its next reimage, reboot or power-cycle it by hand/);
});

test("a plan says what becomes of firmware that the board would boot, also of an image that is left untouched", () => {
  assert.ok(node.facts);
  const pi3: Node = { ...node, facts: { ...node.facts, model: "Raspberry Pi 3 Model B Plus Rev 1.3" } };
  const step = (how: { noResident?: boolean }, policy?: "keep") => {
    const { steps, note } = planReimage({ node: pi3, online: true, devices: [idle] }, image, how, policy);
    const [from, to] = [steps.indexOf("Read it back and compare.") + 1, -3];
    return { steps: steps.slice(from, to).filter((each) => !each.startsWith("Root partition")), note: note ?? "" };
  };
  const renaming =
    "Rename bootcode.bin on partition 1, if present, so that the board's own firmware does not boot the card.";
  assert.deepEqual(step({}).steps, [
    "Install the resident agent and the stamp of this reimage into the new system.",
    renaming,
  ]);
  assert.deepEqual(step({ noResident: true }).steps, [
    "Leave the system in the image as it is: no stamp, no resident agent.",
    renaming,
  ]);
  assert.deepEqual(step({ noResident: true }, "keep").steps, [
    "Leave the image as it is: no stamp, no resident agent.",
  ]);
  assert.match(step({}, "keep").note, /pi-1 \(Raspberry Pi 3 Model B Plus Rev 1.3\) tries its card before the network/);
});

test("a node that runs an untouched image is said to need somebody who reboots it", () => {
  const proved = { imageName: "debian-11", imageDigest: image.digest, kind: "weak" } as const;
  const plan = planReimage({ node: { ...node, proved }, online: false }, image, {});
  assert.match(plan.note ?? "", /pi-1 runs debian-11 without a resident agent: reboot or power-cycle it by hand/);
});

test("a blank disk and a disk without partitions say so", () => {
  const erases = (devices: ReturnType<typeof disk>[]) => planReimage({ node, online: true, devices }, image, {}).erases;
  assert.deepEqual(erases([disk()]), ["/dev/mmcblk0: no partitions, no known filesystem"]);
  assert.deepEqual(erases([disk({ filesystemType: "ext4", label: "data" })]), [
    '/dev/mmcblk0: no partitions, ext4 "data"',
  ]);
});

test("an offline node gets a note and no disk, or the named one", () => {
  const plan = planReimage({ node, online: false }, image, {});
  assert.equal(plan.disk, undefined);
  assert.deepEqual(plan.erases, []);
  assert.match(plan.note ?? "", /pi-1 is offline/);
  assert.equal(planReimage({ node, online: false }, image, { disk: "/dev/sda" }).disk, "/dev/sda");
});

test("a node whose disks cannot be asked for gets a note with the reason", () => {
  const devices = new Failure("node-silent", "nobody answers");
  assert.match(planReimage({ node, online: true, devices }, image, {}).note ?? "", /\(nobody answers\)/);
});

test("a disk that does not fit and a node that is busy are refused", () => {
  const small = planReimage({ node, online: true, devices: [disk({ sizeBytes: 2 ** 20 })] }, image, {});
  assert.equal(small.refusal?.reason, "too-small");
  const busy = planReimage({ node, online: true, devices: [idle], busyWith: "r1" }, image, {});
  assert.match(busy.refusal?.message ?? "", /by rollout r1/);
  assert.equal(busy.disk, "/dev/mmcblk0");
});

test("a plan says that the firmware boots the image by its own config.txt, and refuses where nothing starts it", () => {
  const before = { node, online: true, devices: [disk({})] };
  const plan = planReimage(before, narrow, { noResident: true });
  assert.equal(plan.refusal, undefined);
  assert.match(plan.steps.join("\n"), /reboot; the board's firmware boots the image by the image's own config\.txt\./);
  for (const [model, loader, message] of [
    ["Raspberry Pi 4 Model B Rev 1.4", "u-boot", /\(32-bit\): bootProfile\.loader is u-boot; set it to auto$/],
    ["Raspberry Pi 5 Model B Rev 1.0", "auto", /^the kernel of image .* \(32-bit\) .* for a Raspberry Pi 5/],
    ["linux,dummy-virt", "auto", /^U-Boot cannot start the kernel of image .* \(32-bit\)/],
  ] as const) {
    const facts = node.facts && { ...node.facts, model };
    const other: Node = { ...node, ...(facts && { facts }) };
    const { refusal } = planReimage({ ...before, node: other }, narrow, { noResident: true }, "auto", loader);
    assert.equal(refusal?.reason, "unsupported");
    assert.match(refusal?.message ?? "", message);
  }
});

test("a plan refuses what the agent that is there does not know, and leaves to the preflight what another one will say", () => {
  const { capabilities: _, ...old } = {
    ...node.agent,
    version: "0.1.0",
    role: "netboot" as const,
    instanceId: "a",
    port: 7710,
  };
  const before = { node: { ...node, agent: old }, online: true, devices: [disk()] };
  assert.match(
    planReimage(before, image, {}).refusal?.message ?? "",
    /cannot grow the root to the end of the card \(growth\)/,
  );
  assert.equal(planReimage(before, image, { noGrow: true }).refusal, undefined);
  assert.equal(planReimage({ ...before, online: false }, image, {}).refusal, undefined);
  const installed: Node = { ...node, agent: { ...old, role: "resident" } };
  assert.equal(planReimage({ ...before, node: installed }, image, {}).refusal, undefined);
});
