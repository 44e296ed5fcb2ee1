import type { Image, ImageName } from "../../../../controller/images/catalogue/image.ts";
import type { Node } from "../../../../controller/nodes/node.ts";
import type { NodeId } from "../../../../proto/names/node-id.ts";
import type { ImageDigest, ManifestDigest } from "../../../../proto/pack/digest.ts";

export const digest = "ab".repeat(32) as ImageDigest;
export const manifestDigest = "3a".repeat(32) as ManifestDigest;
export const mac = "b8:27:eb:00:00:01" as NodeId;

/** A node that boots into the agent, changed as a test wants it. */
export function aNode(change: Partial<Node> = {}): Node {
  return {
    id: mac,
    name: "node-1",
    accepted: true,
    bootTarget: { kind: "agent" },
    lastSeenAt: 0,
    discoveredAt: 0,
    ...change,
  };
}

/** A Raspberry Pi OS-like image whose root is its second partition, changed as a test wants it. */
export function anImage(change: Partial<Image> = {}): Image {
  const partition = { type: "83", filesystemType: "ext4", label: "rootfs", uuid: "" };
  return {
    name: "debian-12" as ImageName,
    digest,
    sizeBytes: 2 ** 31,
    storedBytes: 2 ** 29,
    partitionTable: "mbr",
    partitions: [
      { ...partition, number: 1, offsetBytes: 2 ** 22, lengthBytes: 2 ** 28, partitionUuid: "deadbeef-01" },
      { ...partition, number: 2, offsetBytes: 2 ** 29, lengthBytes: 2 ** 30, partitionUuid: "deadbeef-02" },
    ],
    rootPartition: 2,
    operatingSystem: "Debian GNU/Linux 12 (bookworm)",
    boot: {
      kernel: "vmlinuz-6.1.0-18-arm64",
      initrd: "initrd.img-6.1.0-18-arm64",
      deviceTrees: [],
      commandLine: "console=ttyAMA0,115200 rw quiet",
    },
    pack: {
      manifestDigest,
      manifestBytes: 600_000,
      chunkBytes: 65_536,
      dataBytes: 2 ** 30,
      zeroBytes: 0,
      unusedBytes: 2 ** 30,
      fetchBytes: 2 ** 29 - 200_000,
    },
    addedAt: 0,
    ...change,
  };
}
