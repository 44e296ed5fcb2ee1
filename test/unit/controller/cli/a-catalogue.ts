import { BootTarget, Node, NodeTroubleKind } from "../../../../proto/gen/pallet/v1/controller.ts";
import { BlockDevice } from "../../../../proto/gen/pallet/v1/disk.ts";
import { Event, EventAuthorKind, EventSeverity } from "../../../../proto/gen/pallet/v1/event.ts";
import { FailureReason } from "../../../../proto/gen/pallet/v1/failure.ts";
import { Image, KernelFormat, KernelOrigin, PartitionTable } from "../../../../proto/gen/pallet/v1/image.ts";
import { AgentRole } from "../../../../proto/gen/pallet/v1/node.ts";
import { ReimagePhase, ReimageVerdict } from "../../../../proto/gen/pallet/v1/rollout.ts";
import { digest } from "./a-rollout.ts";

/** A node that runs the agent, with everything known about it. */
export const knownNode: Node = Node.fromPartial({
  nodeId: "b8:27:eb:00:00:01",
  name: "rack-1",
  accepted: true,
  bootTarget: BootTarget.BOOT_TARGET_AGENT,
  address: "10.77.0.21",
  online: true,
  lastSeenAt: new Date("2026-11-23T00:19:48Z"),
  discoveredAt: new Date("2026-11-20T00:20:00Z"),
  bootStage: { path: "pxelinux.cfg/01-b8-27-eb-00-00-01", time: new Date("2026-11-23T00:10:00Z") },
  provedImageDigest: digest,
  provedImageName: "debian-12",
  facts: {
    model: "Raspberry Pi 4 Model B Rev 1.4",
    serial: "10000000abcdef01",
    interfaces: [{ name: "eth0", mac: "b8:27:eb:00:00:01", addresses: ["10.77.0.21", "fe80::ba27:ebff:fe00:1"] }],
    memoryBytes: 3_977_375_744n,
    cpuCount: 4,
    cpuModel: "Cortex-A72",
    temperatureCelsius: 41.6,
    kernel: "6.12.34+rpt-rpi-v8",
    architecture: "arm64",
    bootId: "7a9f8c42-50d1-4c3d-8f5b-2a4fcb7e0a22",
    root: { source: "10.77.0.1:/srv/rootfs", filesystemType: "nfs", disk: "" },
    hostname: "rack-1",
    uptimeSeconds: 4_000n,
  },
  agent: {
    version: "0.1.0+3f2a91c04b7e",
    role: AgentRole.AGENT_ROLE_NETBOOT,
    instanceId: "i-1",
    port: 7710,
    contract: "pallet-contract-c5b91e227cb7f9e6",
    capabilities: ["growth", "ids"],
  },
});

/** A node that runs the system that was installed on it. */
export const installedNode: Node = Node.fromPartial({
  ...knownNode,
  nodeId: "b8:27:eb:00:00:02",
  name: "rack-2",
  bootTarget: BootTarget.BOOT_TARGET_LOCAL,
  bootImageDigest: digest,
  online: false,
  lastReimage: {
    rolloutId: "20261123-001800-k3f9",
    imageName: "debian-12",
    phase: ReimagePhase.REIMAGE_PHASE_CANCELLED,
    verdict: ReimageVerdict.REIMAGE_VERDICT_UNTOUCHED,
    failure: {
      reason: FailureReason.FAILURE_REASON_CANCELLED,
      message:
        "the reimage of rack-2 was cancelled before anything was written; its card is untouched, and its boot target is local as before",
    },
  },
  troubles: [
    {
      kind: NodeTroubleKind.NODE_TROUBLE_KIND_BOOT_LOOP,
      message: "boot loop: 7 boots in 12 min, last got to its kernel",
      since: new Date("2026-11-23T00:07:30Z"),
      lastTime: new Date("2026-11-23T00:19:30Z"),
      count: 7,
    },
  ],
  lastSeenAt: new Date("2026-11-22T20:15:00Z"),
  agent: {
    version: "0.1.0",
    role: AgentRole.AGENT_ROLE_RESIDENT,
    instanceId: "i-2",
    port: 7710,
    installed: { imageName: "debian-12", imageDigest: digest, reimageId: "roll-1.rack-2" },
  },
});

/** A node that has only asked for boot files, with a model that tries to clear the screen. */
export const freshNode: Node = Node.fromPartial({
  nodeId: "b8:27:eb:00:00:03",
  name: "node-b827eb000003",
  bootTarget: BootTarget.BOOT_TARGET_AGENT,
  lastSeenAt: new Date("2026-11-23T00:19:59Z"),
  discoveredAt: new Date("2026-11-23T00:19:59Z"),
  facts: { model: "\u001b[2JPi" },
});

/** An image. */
export const anImage: Image = Image.fromPartial({
  name: "debian-12",
  digest,
  sizeBytes: 2n ** 31n,
  storedBytes: 312_000_000n,
  partitionTable: PartitionTable.PARTITION_TABLE_MBR,
  partitions: [
    {
      number: 1,
      offsetBytes: 4_194_304n,
      lengthBytes: 268_435_456n,
      type: "0c",
      partitionUuid: "8f2c51ab-01",
      filesystemType: "vfat",
      label: "bootfs",
      uuid: "91FE-7499",
    },
    {
      number: 2,
      offsetBytes: 272_629_760n,
      lengthBytes: 1_874_853_888n,
      type: "83",
      partitionUuid: "8f2c51ab-02",
      filesystemType: "ext4",
      label: "rootfs",
      uuid: "56f80fa2-e005-4cca-86e6-19da1069914d",
    },
  ],
  rootPartition: 2,
  operatingSystem: "Debian GNU/Linux 12 (bookworm)",
  boot: {
    kernel: "vmlinuz",
    initrd: "initrd.img",
    deviceTrees: ["bcm2711-rpi-4-b.dtb"],
    commandLine: "console=tty1 rw",
    kernelFormat: KernelFormat.KERNEL_FORMAT_ARM64_IMAGE,
    kernelOrigin: KernelOrigin.KERNEL_ORIGIN_UPSTREAM,
    firstBootWords: ["resize"],
    firmwareBoots: [
      {
        boards: ["pi3", "pi4"],
        kernel: "vmlinuz",
        kernelFormat: KernelFormat.KERNEL_FORMAT_ARM64_IMAGE,
        initrds: ["initrd.img"],
      },
    ],
  },
  notes: ["a sentence about its first boot", "another that tries to clear the screen: \u001b[2J"],
  addedAt: new Date("2026-11-20T00:20:00Z"),
  pack: {
    manifestDigest: "5e7a".repeat(16),
    manifestBytes: 720_112n,
    chunkBytes: 65_536,
    dataBytes: 1_342_177_280n,
    zeroBytes: 67_108_864n,
    unusedBytes: 738_197_504n,
    fetchBytes: 305_000_000n,
    onlyFree: true,
  },
});

/** A card with a system on it and a blank USB disk. */
export const someDisks: readonly BlockDevice[] = [
  BlockDevice.fromPartial({
    name: "mmcblk0",
    path: "/dev/mmcblk0",
    type: "disk",
    sizeBytes: 31_914_983_424n,
    partitionTable: "dos",
    transport: "mmc",
    model: "SC32G",
    children: [
      {
        name: "mmcblk0p1",
        path: "/dev/mmcblk0p1",
        type: "part",
        sizeBytes: 268_435_456n,
        partitionNumber: 1,
        startBytes: 4_194_304n,
        filesystemType: "vfat",
        label: "bootfs",
      },
      {
        name: "mmcblk0p2",
        path: "/dev/mmcblk0p2",
        type: "part",
        sizeBytes: 31_642_353_664n,
        partitionNumber: 2,
        startBytes: 272_629_760n,
        filesystemType: "ext4",
        label: "rootfs",
        mountpoints: ["/mnt"],
      },
    ],
  }),
  BlockDevice.fromPartial({
    name: "sda",
    path: "/dev/sda",
    type: "disk",
    sizeBytes: 1_000_204_886_016n,
    transport: "usb",
    removable: true,
    readOnly: true,
    model: "Portable\u001b]0;owned\u0007 SSD",
  }),
];

/** Events of every severity. */
export const someEvents: readonly Event[] = [
  Event.fromPartial({
    id: 1n,
    time: new Date("2026-11-23T00:18:00Z"),
    type: "node-discovered",
    severity: EventSeverity.EVENT_SEVERITY_INFO,
    nodeId: "b8:27:eb:00:00:01",
    nodeName: "rack-1",
    message: "asked for pxelinux.cfg/01-b8-27-eb-00-00-01",
    by: { kind: EventAuthorKind.EVENT_AUTHOR_KIND_ANONYMOUS },
    from: "10.0.0.7",
  }),
  Event.fromPartial({
    id: 2n,
    time: new Date("2026-11-23T00:18:30Z"),
    type: "node-went-silent",
    severity: EventSeverity.EVENT_SEVERITY_WARNING,
    nodeId: "b8:27:eb:00:00:01",
    nodeName: "rack-1",
    message: "not heard from for 30 s",
    by: { kind: EventAuthorKind.EVENT_AUTHOR_KIND_CONTROLLER },
  }),
  Event.fromPartial({
    id: 3n,
    time: new Date("2026-11-23T00:19:00Z"),
    type: "reimage-failed",
    severity: EventSeverity.EVENT_SEVERITY_ERROR,
    nodeId: "b8:27:eb:00:00:01",
    nodeName: "rack-1",
    rolloutId: "20261123-001800-k3f9",
    message: "the card is worn\u001b[31m",
    by: { kind: EventAuthorKind.EVENT_AUTHOR_KIND_SOCKET_USER, name: "an\u001b[31mna", uid: 1000 },
  }),
];
