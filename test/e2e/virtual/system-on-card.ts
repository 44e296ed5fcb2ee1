import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";
import { layout } from "../../../scripts/systemd-image/write-system-disk.ts";
import type { VirtualBoard } from "../../rack/virtual/virtual-board.ts";

const MiB = 1024 * 1024;

/** What the first boots of a system image have left on a card, and what must not change any more after them. */
export interface SystemOnCard {
  /** One line for each run of files/first-boot. */
  readonly firstBoots: readonly string[];
  /** How often cloud-init has run what it runs once for each instance. */
  readonly cloudInitRuns: number;
  readonly hostKey: string;
  /** PARTUUID of the root partition, as the table says; lower case. */
  readonly rootPartitionUuid: string;
  /** cmdline.txt on the FAT partition. */
  readonly commandLine: string;
  readonly fstab: string;
  readonly partitionEndBytes: number;
  readonly filesystemBytes: number;
  readonly partitionBytes: number;
}

/** Reads a snapshot of the card of a board, which runs on; the journal of the root filesystem is replayed in a copy. */
export async function readSystemOnCard(board: VirtualBoard, folder: string): Promise<SystemOnCard> {
  const temporary = await mkdtemp(path.join(folder, "card-"));
  const card = path.join(temporary, "card.img");
  const root = path.join(temporary, "root.ext4");
  try {
    await board.snapshotCard(card);
    const { partitiontable } = JSON.parse((await execa("sfdisk", ["--json", card])).stdout) as SfdiskJson;
    const [, partition] = partitiontable.partitions;
    assert.ok(partition !== undefined, "the card has no second partition");
    const partitionBytes = partition.size * 512;
    const offset = layout.root.offsetBytes;
    assert.equal(partition.start * 512, offset);
    await execa("dd", [`if=${card}`, `of=${root}`, "bs=1M", `skip=${offset / MiB}`, "conv=sparse", "status=none"]);
    const { exitCode, all } = await execa("e2fsck", ["-f", "-p", root], { reject: false, all: true });
    // 1: corrected, which is what replaying a journal is called (e2fsck(8)).
    assert.ok(exitCode === 0 || exitCode === 1, `the root filesystem is not sound (${exitCode}): ${all}`);
    const read = async (name: string) => (await execa("debugfs", ["-R", `cat ${name}`, root])).stdout;
    const lines = async (name: string) => (await read(name)).split("\n").filter(Boolean);
    const { stdout: superblock } = await execa("dumpe2fs", ["-h", root]);
    const number = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)$`, "m").exec(superblock)?.[1]);
    const fat = `${card}@@${layout.boot.offsetBytes}`;
    return {
      firstBoots: await lines("/var/log/first-boot.log"),
      cloudInitRuns: (await lines("/var/log/cloud-init-ran")).length,
      hostKey: await read("/etc/ssh/ssh_host_ed25519_key.pub"),
      rootPartitionUuid: (partition.uuid ?? `${partitiontable.id.replace("0x", "")}-02`).toLowerCase(),
      commandLine: (await execa("mtype", ["-i", fat, "::cmdline.txt"])).stdout.trim(),
      fstab: await read("/etc/fstab"),
      partitionEndBytes: offset + partitionBytes,
      filesystemBytes: number("Block count") * number("Block size"),
      partitionBytes,
    };
  } finally {
    await rm(temporary, { recursive: true });
  }
}

/** What sfdisk(8) --json says, as far as it is read here; in sectors. */
interface SfdiskJson {
  readonly partitiontable: {
    readonly id: string;
    readonly partitions: readonly { readonly start: number; readonly size: number; readonly uuid?: string }[];
  };
}
