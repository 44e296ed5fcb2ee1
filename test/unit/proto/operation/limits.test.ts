// Limits that both sides hold to: what one may produce, the other admits, up to the last byte; and not one more.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdtemp, open, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { describe, it } from "node:test";
import fc from "fast-check";
import { imageNameFromFile } from "../../../../controller/cli/commands/image-name.ts";
import { chooseRootPartition } from "../../../../controller/images/boot/choose-root-partition.ts";
import { parseImageName } from "../../../../controller/images/catalogue/parse-manifest.ts";
import { findRootPartition } from "../../../../controller/images/import/examine-image.ts";
import { boardFirmwareOf } from "../../../../controller/nodes/board-firmware.ts";
import { planDiskFirmware } from "../../../../controller/reimage/plan/plan-disk-firmware.ts";
import { planReimage } from "../../../../controller/reimage/plan/plan-rollout.ts";
import { nodeOperationFromWire } from "../../../../controller/rpc/wire/operation-spec-from-wire.ts";
import { checkedAgent } from "../../../../controller/rpc/wire/registration-from-wire.ts";
import { rolloutIdFromWire } from "../../../../controller/rpc/wire/rollout-from-wire.ts";
import { type MakeableFilesystem, maxLabelBytes } from "../../../../proto/disk/filesystem-label.ts";
import type { Failure } from "../../../../proto/failure.ts";
import { OperationSpec } from "../../../../proto/gen/pallet/v1/operation.ts";
import { maxImageName } from "../../../../proto/names/image-name.ts";
import { agentInfoToWire } from "../../../../proto/node/node-codec.ts";
import { maxFirmwareItems, maxIdentifyMs } from "../../../../proto/operation/operation-limits.ts";
import { parseOperationId, parseSpec } from "../../../../proto/operation/parse-spec.ts";
import { type ImageDigest, manifestDigestOf } from "../../../../proto/pack/digest.ts";
import { maxFirstPartitionBytes, maxImageBytes, sectorBytes } from "../../../../proto/pack/image-bounds.ts";
import {
  chooseChunkBytes,
  chunkBytesRange,
  maxChunks,
  maxFrameBytes,
  maxManifestBytes,
  parsePackManifest,
  renderPackManifest,
} from "../../../../proto/pack/pack-manifest.ts";
import { image } from "../../controller/reimage/fakes/fake-rack.ts";

type Loose = Parameters<typeof OperationSpec.fromPartial>[0];
const work = ($case: string, value: object) => OperationSpec.fromPartial({ work: { $case, value } } as Loose);

const digest = "ab".repeat(32);
const source = {
  url: "http://10.0.0.1:7701/images/x.zst",
  compression: 2,
  storedBytes: 1n,
  sizeBytes: BigInt(maxImageBytes),
  digest,
  firstPartitionBytes: BigInt(sectorBytes),
  manifest: { url: "http://10.0.0.1:7701/images/x.manifest", digest, manifestBytes: 1n },
};

/** The words of a refusal, or undefined. */
function refusalOf(call: () => unknown): string | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    assert.ok(error instanceof Error);
    return error.message;
  }
}

const byAgent = (spec: OperationSpec) => refusalOf(() => parseSpec(spec));
const byController = (spec: OperationSpec) => refusalOf(() => nodeOperationFromWire(spec));
const write = (changes: object, customisation?: object) =>
  byAgent(
    work("writeImage", {
      device: "/dev/mmcblk0",
      source: { ...source, ...changes },
      ...(customisation && { customisation }),
    }),
  );

describe("limits of work that an operator asks for", () => {
  it("agree about how long a node is identified", () => {
    const identify = (ms: number) =>
      work("identify", { duration: { seconds: BigInt(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1_000_000 } });
    for (const ms of [1, maxIdentifyMs])
      assert.deepEqual([byController(identify(ms)), byAgent(identify(ms))], [undefined, undefined]);
    for (const ms of [0, maxIdentifyMs + 1]) {
      assert.match(byController(identify(ms)) ?? "", /duration/);
      assert.match(byAgent(identify(ms)) ?? "", /duration/);
    }
  });

  it("agree about labels, which the controller refuses in the agent's words", () => {
    const types: readonly (readonly [number, MakeableFilesystem])[] = [
      [1, "vfat"],
      [2, "ext4"],
    ];
    for (const [type, name] of types) {
      const make = (label: string) => work("makeFilesystem", { device: "/dev/sda1", type, label });
      const most = maxLabelBytes[name];
      for (const label of ["", "X".repeat(most)])
        assert.deepEqual([byController(make(label)), byAgent(make(label))], [undefined, undefined], name);
      for (const label of ["X".repeat(most + 1), "a\nb", name === "vfat" ? "é" : "é".repeat(9)]) {
        assert.match(byAgent(make(label)) ?? "", new RegExp(`is not valid for ${name}`));
        assert.equal(byController(make(label)), byAgent(make(label)));
      }
    }
  });

  it("let no path through the controller's door that the agent's does not take", () => {
    const unmount = (device: string) => work("unmount", { device });
    const longest = `/dev/${"x".repeat(200)}`;
    for (const device of ["/dev/mmcblk0", "/dev/mapper/vg-root", longest])
      assert.deepEqual([byController(unmount(device)), byAgent(unmount(device))], [undefined, undefined]);
    for (const device of ["", `${longest}x`, "/dev/a\nb"]) assert.notEqual(byController(unmount(device)), undefined);
  });

  it("agree about ids", () => {
    const fits = ["a", "A".repeat(64), `${randomUUID()}-99999`, `by-hand-${randomUUID()}`];
    for (const id of fits)
      assert.deepEqual(
        [refusalOf(() => parseOperationId(id)), refusalOf(() => rolloutIdFromWire(id))],
        [undefined, undefined],
      );
    for (const id of ["", "A".repeat(65), "a/b", "a b", "é"]) {
      assert.match(refusalOf(() => parseOperationId(id)) ?? "", /1 to 64 characters/);
      assert.match(refusalOf(() => rolloutIdFromWire(id)) ?? "", /1 to 64 characters/);
    }
  });
});

describe("limits of images", () => {
  const image512 = (firstPartitionBytes: number) => write({ firstPartitionBytes: BigInt(firstPartitionBytes) });

  it("let an agent write what the importer takes: where the first partition starts", async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), "limits-"));
    try {
      const asImported = async (firstPartitionBytes: number) => {
        const file = path.join(folder, `${firstPartitionBytes}`);
        await writeMbr(file, firstPartitionBytes);
        return findRootPartition(file).then(
          () => undefined,
          (error: Failure) => error.evidence.expected,
        );
      };
      for (const start of [sectorBytes, maxFirstPartitionBytes]) {
        // It is empty, so this is as far as it comes.
        assert.match((await asImported(start)) ?? "", /exactly one root filesystem/);
        assert.equal(image512(start), undefined);
      }
      assert.equal(await asImported(maxFirstPartitionBytes + sectorBytes), `at most byte ${maxFirstPartitionBytes}`);
      assert.match(image512(maxFirstPartitionBytes + sectorBytes) ?? "", /first_partition_bytes/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("let an agent write the largest image, and its manifest be as long as it gets", () => {
    assert.equal(write({}), undefined);
    const chunkBytes = chooseChunkBytes(maxImageBytes);
    assert.ok(chunkBytes <= chunkBytesRange.most);
    const chunks = maxImageBytes / chunkBytes;
    assert.equal(chunks, maxChunks);
    const longest = renderPackManifest({
      imageBytes: maxImageBytes,
      imageDigest: digest as ImageDigest,
      chunkBytes,
      kinds: Array.from({ length: chunks }, () => "data" as const),
      frameBytes: Array.from({ length: chunks }, () => maxFrameBytes(chunkBytes)),
      digests: Buffer.alloc(32 * chunks),
    });
    assert.ok(longest.length <= maxManifestBytes, `${longest.length} bytes`);
    assert.equal(parsePackManifest(longest).chunkCount, chunks);
    const ofLength = (bytes: number) =>
      write({ manifest: { ...source.manifest, digest: manifestDigestOf(longest), manifestBytes: BigInt(bytes) } });
    assert.deepEqual([ofLength(longest.length), ofLength(maxManifestBytes)], [undefined, undefined]);
    assert.match(ofLength(maxManifestBytes + 1) ?? "", /manifest_bytes/);
    assert.throws(() => parsePackManifest(Buffer.alloc(maxManifestBytes + 1)), /more than/);
  });

  it("agree about names of images, from the file to the stamp that a node reports", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ maxLength: 80 }), fc.stringMatching(/^[A-Za-z0-9._-]{60,70}$/)), (file) => {
        const name = imageNameFromFile(file);
        if (name !== undefined) assert.equal(parseImageName(name), name);
      }),
    );
    const longest = "a".repeat(maxImageName);
    assert.equal(imageNameFromFile(`${longest}a.img.xz`), longest);
    assert.equal(parseImageName(longest), longest);
    assert.throws(() => parseImageName(`${longest}a`), /1 to 63/);
    const stamp = { imageName: longest, imageDigest: digest as ImageDigest, reimageId: randomUUID() };
    const installed = { ...stamp, installedAt: new Date(1).toISOString() };
    const agent = { version: "1", role: "resident", instanceId: "i", port: 7710, installed } as const;
    assert.deepEqual(checkedAgent(agentInfoToWire(agent)).installed, installed);
  });

  it("let an agent customise a root of every type that the importer takes for one", () => {
    const root = { offsetBytes: BigInt(sectorBytes), lengthBytes: 1n };
    const stamp = { imageName: "x", imageDigest: digest, reimageId: "r", installedAt: new Date() };
    for (const filesystemType of [
      "ext2",
      "ext3",
      "ext4",
      "btrfs",
      "f2fs",
      "xfs",
      "squashfs",
      "erofs",
      "jfs",
      "nilfs2",
    ]) {
      const content = { number: 2, lengthBytes: 1, partitionUuid: "", filesystemType, label: "", uuid: "" };
      const holds = filesystemType.startsWith("ext") ? { holds: { init: true, configuration: true } } : {};
      assert.equal(chooseRootPartition([{ ...content, ...holds }]), 2);
      assert.equal(write({}, { root: { ...root, filesystemType }, stamp }), undefined, filesystemType);
    }
  });
});

describe("limits of what keeps firmware from booting a card", () => {
  const withFats = (count: number) => {
    const [boot] = image.partitions;
    assert.ok(boot);
    const fats = Array.from({ length: count }, (_, index) => ({ ...boot, number: index + 10, filesystemType: "vfat" }));
    const others = image.partitions.filter(({ filesystemType }) => filesystemType !== "vfat");
    return { ...image, partitions: [...fats, ...others] };
  };
  const models = ["", "2 Model B", "3 Model B", "4 Model B", "400", "5 Model B", "Zero 2 W", "Compute Module 4"].map(
    (name) => (name === "" ? "" : `Raspberry Pi ${name} Rev 1.0`),
  );

  it("let an agent do what is planned for every board, on as many partitions as are planned for", () => {
    for (const model of models) {
      for (const policy of ["rename", "reformat"] as const) {
        const firmware = planDiskFirmware(policy, model, withFats(maxFirmwareItems));
        assert.ok(firmware);
        assert.ok(boardFirmwareOf(model).files.length > 0);
        const diskFirmware = {
          action: policy === "rename" ? 1 : 2,
          files: firmware.files,
          partitions: firmware.partitions.map(({ offsetBytes, lengthBytes }) => ({
            offsetBytes: BigInt(offsetBytes),
            lengthBytes: BigInt(lengthBytes),
          })),
        };
        assert.equal(write({}, { diskFirmware }), undefined, model);
        const [one] = diskFirmware.partitions;
        const more = { ...diskFirmware, partitions: [...diskFirmware.partitions, one] };
        assert.match(write({}, { diskFirmware: more }) ?? "", /partitions: 17 given/);
      }
    }
  });

  it("refuse an image with more before anything is done", () => {
    const tooMany = withFats(maxFirmwareItems + 1);
    const expected = { reason: "unsupported", message: /17 FAT partitions.*at most 16; set bootProfile.cardFirmware/ };
    assert.throws(() => planDiskFirmware("rename", "", tooMany), expected);
    assert.equal(planDiskFirmware("keep", "", tooMany), undefined);
    const node = { id: "02:00:00:00:00:01", name: "pi-1", accepted: true, bootTarget: { kind: "agent" } } as const;
    const before = { node: { ...node, lastSeenAt: 0, discoveredAt: 0 } as never, online: false };
    assert.equal(planReimage(before, tooMany, {}, "keep").refusal, undefined);
    assert.equal(planReimage(before, tooMany, {}, "auto").refusal, undefined, "the board may be one that needs none");
    const known = { ...node, lastSeenAt: 0, discoveredAt: 0, facts: { model: "Raspberry Pi 3 Model B", root: {} } };
    assert.equal(planReimage({ ...before, node: known as never }, tooMany, {}, "auto").refusal?.reason, "unsupported");
  });
});

/** An image of 128 MiB whose one partition, of type Linux, starts there and continues to the end; it is empty. */
async function writeMbr(file: string, firstPartitionBytes: number): Promise<void> {
  const imageBytes = 128 * 1024 * 1024;
  const sector = Buffer.alloc(sectorBytes);
  sector.writeUInt8(0x83, 446 + 4);
  sector.writeUInt32LE(firstPartitionBytes / sectorBytes, 446 + 8);
  sector.writeUInt32LE((imageBytes - firstPartitionBytes) / sectorBytes, 446 + 12);
  sector.writeUInt16LE(0xaa55, 510);
  const handle = await open(file, "w");
  await handle.write(sector, 0, sector.length, 0);
  await handle.truncate(imageBytes);
  await handle.close();
}
