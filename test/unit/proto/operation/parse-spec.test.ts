import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Failure } from "../../../../proto/failure.ts";
import { OperationSpec as WireSpec } from "../../../../proto/gen/pallet/v1/operation.ts";
import type { NodeId } from "../../../../proto/names/node-id.ts";
import type { OperationSpec } from "../../../../proto/operation/operation-spec.ts";
import { parseOperationId, parseSpec } from "../../../../proto/operation/parse-spec.ts";
import { specToWire } from "../../../../proto/operation/spec-codec.ts";
import { imageDigestFrom, manifestDigestOf } from "../../../../proto/pack/digest.ts";

const digest = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(imageDigestFrom);
const node = "b8:27:eb:00:00:01" as NodeId;
const device = fc.constantFrom("/dev/mmcblk0", "/dev/sda1", "mmcblk0", "/dev/../x");

const source = fc
  .record({
    host: fc.domain(),
    headSectors: fc.integer({ min: 1, max: 131_072 }),
    bodySectors: fc.integer({ min: 1, max: 2 ** 43 }),
    storedBytes: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    digest,
    manifest: fc.record({
      url: fc.constant("http://10.0.0.1:7701/images/x.manifest"),
      digest: fc.uint8Array().map(manifestDigestOf),
      manifestBytes: fc.integer({ min: 1, max: 2 ** 26 }),
    }),
  })
  .map(({ host, headSectors, bodySectors, storedBytes, ...rest }) => {
    const sizeBytes = (headSectors + bodySectors) * 512;
    return {
      ...rest,
      url: `http://${host}:7701/images/x.zst`,
      sizeBytes,
      storedBytes,
      firstPartitionBytes: headSectors * 512,
    };
  });

const writeImage = fc
  .record({
    device,
    source,
    root: fc.boolean(),
    full: fc.boolean(),
    firmware: fc.constantFrom("rename", "reformat", undefined),
    imageDigest: digest,
    date: fc.date({ noInvalidDate: true, min: new Date(0), max: new Date("9999-01-01") }),
  })
  .map(({ device: path, source: from, root, full, firmware, imageDigest, date }): OperationSpec => {
    const place = { offsetBytes: from.firstPartitionBytes, lengthBytes: from.sizeBytes - from.firstPartitionBytes };
    const files = firmware === "rename" ? ["bootcode.bin", "start4.elf"] : [];
    const customisation = {
      ...(root && {
        root: { ...place, filesystemType: "ext4" },
        stamp: { imageName: "debian", imageDigest, reimageId: "r", installedAt: date.toISOString() },
      }),
      resident: root,
      ...(root && {
        settings: {
          node,
          controllers: [
            { host: "10.0.0.1", port: 7700 },
            { host: "fd00::1", port: 1 },
          ],
        },
      }),
      ...(firmware && { diskFirmware: { action: firmware, partitions: [place, place], files } }),
    };
    const anything = root || firmware !== undefined;
    return { kind: "write-image", device: path, source: from, ...(anything && { customisation }), full };
  });

const specs: fc.Arbitrary<OperationSpec> = fc.oneof(
  writeImage,
  fc.record({ kind: fc.constant("verify-image" as const), device, source }),
  fc.record({
    kind: fc.constant("make-filesystem" as const),
    device,
    type: fc.constantFrom("vfat", "ext4"),
    label: fc.constantFrom("", "BOOT", "root fs"),
  }),
  fc.record({ kind: fc.constant("wipe" as const), device, method: fc.constantFrom("discard", "signatures") }),
  fc.record({ kind: fc.constant("unmount" as const), device }),
  fc.record({ kind: fc.constant("identify" as const), durationMs: fc.integer({ min: 1, max: 600_000 }) }),
);

describe("parseSpec", () => {
  it("reads every spec as it was sent, over the wire and back", () => {
    fc.assert(
      fc.property(specs, (spec) => {
        const wire = WireSpec.decode(WireSpec.encode(specToWire(spec)).finish());
        // fast-check's records have no prototype.
        assert.deepEqual(parseSpec(wire), structuredClone(spec));
      }),
    );
  });

  const good = {
    url: "http://10.0.0.1:7701/images/x.zst",
    compression: 2,
    storedBytes: 100n,
    sizeBytes: 4096n,
    digest: "ab".repeat(32),
    firstPartitionBytes: 1024n,
    manifest: { url: "http://10.0.0.1:7701/images/x.manifest", digest: "cd".repeat(32), manifestBytes: 70n },
  } as const;
  const root = { offsetBytes: 1024n, lengthBytes: 1024n, filesystemType: "ext4" };
  const firmware = { action: 1, partitions: [{ offsetBytes: 1024n, lengthBytes: 1024n }], files: ["bootcode.bin"] };
  const stamp = { imageName: "x", imageDigest: "ab".repeat(32), reimageId: "r", installedAt: new Date() };
  type Loose = Parameters<typeof WireSpec.fromPartial>[0];
  const write = (changes: object, customisation?: object): Loose =>
    ({
      work: {
        $case: "writeImage",
        value: { device: "/dev/mmcblk0", source: { ...good, ...changes }, ...(customisation && { customisation }) },
      },
    }) as Loose;
  const work = ($case: string, value: object) => ({ work: { $case, value } }) as Loose;

  const refused: [title: string, wire: Loose, message: RegExp][] = [
    ["no work", {}, /spec\.work is missing/],
    ["no source", work("verifyImage", { device: "/dev/sda" }), /source: the image is missing/],
    ["no device", work("unmount", {}), /device: the path is missing/],
    ["a device with a newline", work("unmount", { device: "/dev/sda\n" }), /is not a device path/],
    ["a file URL", write({ url: "file:///etc/passwd" }), /not an http/],
    ["no URL", write({ url: "x" }), /not an http/],
    ["no compression", write({ compression: 0 }), /compression/],
    ["a compression from the future", write({ compression: 99 }), /compression/],
    ["a digest in upper case", write({ digest: "AB".repeat(32) }), /source.digest/],
    ["a short digest", write({ digest: "ab" }), /source.digest/],
    ["a size of zero", write({ sizeBytes: 0n }), /size_bytes is missing/],
    ["half a sector", write({ sizeBytes: 4097n }), /size_bytes 4097/],
    ["a size beyond counting", write({ sizeBytes: 2n ** 60n }), /too large to count exactly/],
    ["no stored bytes", write({ storedBytes: 0n }), /stored_bytes/],
    ["an image that is not compressed, which no pack is", write({ compression: 1 }), /compression/],
    ["no manifest", write({ manifest: undefined }), /source.manifest: the pack's manifest is missing/],
    ["a manifest of nowhere", write({ manifest: { ...good.manifest, url: "x" } }), /source.manifest.url/],
    ["a manifest without a digest", write({ manifest: { ...good.manifest, digest: "" } }), /source.manifest.digest/],
    ["an empty manifest", write({ manifest: { ...good.manifest, manifestBytes: 0n } }), /manifest_bytes is missing/],
    ["a manifest that is too long", write({ manifest: { ...good.manifest, manifestBytes: 2n ** 27n } }), /67108864/],
    ["a first partition at zero", write({ firstPartitionBytes: 0n }), /first_partition_bytes/],
    ["a first partition off a sector", write({ firstPartitionBytes: 1025n }), /multiple of 512/],
    ["a first partition too far away", write({ sizeBytes: 2n ** 30n, firstPartitionBytes: 2n ** 27n }), /67108864/],
    ["a first partition behind the end", write({ firstPartitionBytes: 8192n }), /past the end/],
    [
      "a config without its digest",
      write({}, { root, stamp, system: { hostname: "a" } }),
      /customisation\.system and customisation\.stamp\.config: one of them is missing/,
    ],
    [
      "a digest without a config",
      write({}, { root, stamp: { ...stamp, config: "ab".repeat(32) } }),
      /one of them is missing/,
    ],
    [
      "a digest that is none",
      write({}, { root, stamp: { ...stamp, config: "x" }, system: { hostname: "a" } }),
      /stamp\.config is not 64 hexadecimal digits/,
    ],
    [
      "a config with a path outside",
      write(
        {},
        {
          ...{ root, stamp: { ...stamp, config: "ab".repeat(32) } },
          system: { files: [{ path: "/etc/../x", content: { $case: "linkTarget", value: "y" } }] },
        },
      ),
      /customisation\.system\.files\[0\]\.path is not an absolute path/,
    ],
    [
      "a config that lacks a word",
      write({}, { root, stamp: { ...stamp, config: "ab".repeat(32) }, system: { files: [{ path: "/etc/x" }] } }),
      /customisation\.system\.files\[0\]\.content is missing/,
    ],
    [
      "tasks without an agent to run them",
      write(
        {},
        {
          ...{ root, stamp: { ...stamp, config: "ab".repeat(32) } },
          system: {
            tasks: [{ name: "a", run: { $case: "script", value: "#!/bin/sh\n" }, timeout: { seconds: 1n, nanos: 0 } }],
          },
        },
      ),
      /no resident agent to run them/,
    ],
    ["no root partition", write({}, { stamp }), /customisation.root/],
    ["no stamp", write({}, { root }), /customisation.stamp/],
    ["a root partition behind the end", write({}, { root: { ...root, offsetBytes: 4096n }, stamp }), /are not between/],
    ["a root partition over the table", write({}, { root: { ...root, offsetBytes: 512n }, stamp }), /are not between/],
    [
      "a filesystem that is an option",
      write({}, { root: { ...root, filesystemType: "-o x" }, stamp }),
      /filesystem_type/,
    ],
    ["a stamp without a date", write({}, { root, stamp: { ...stamp, installedAt: undefined } }), /installed_at/],
    ["nothing to customise", write({}, {}), /customisation.root/],
    [
      "a resident agent for no system",
      write({}, { resident: true, diskFirmware: firmware }),
      /root partition to install the resident agent/,
    ],
    ...(
      [
        ["settings without an agent that reads them", { resident: false }, /settings: there is no resident agent/],
        ["settings without a controller", { settings: { bootMac: node } }, /settings.controllers: 0 given/],
        [
          "settings with too many controllers",
          { settings: { bootMac: node, controllers: Array(9).fill("a:1") } },
          /settings.controllers: 9 given/,
        ],
        [
          "a controller without a port",
          { settings: { bootMac: node, controllers: ["a"] } },
          /settings.controllers: "a" is not HOST:PORT/,
        ],
        ["settings of no node", { settings: { controllers: ["a:1"] } }, /settings.boot_mac: "" is not a MAC address/],
      ] as const
    ).map(([title, changes, message]): [string, Loose, RegExp] => {
      const settings = { bootMac: node, controllers: ["a:1"] };
      return [title, write({}, { root, stamp, resident: true, settings, ...changes }), message];
    }),
    ["no action on firmware", write({}, { diskFirmware: { ...firmware, action: 0 } }), /disk_firmware.action/],
    ["an action from the future", write({}, { diskFirmware: { ...firmware, action: 9 } }), /disk_firmware.action/],
    ["firmware nowhere", write({}, { diskFirmware: { ...firmware, partitions: [] } }), /disk_firmware.partitions: 0/],
    [
      "firmware in too many places",
      write({}, { diskFirmware: { ...firmware, partitions: Array(17).fill(firmware.partitions[0]) } }),
      /partitions: 17/,
    ],
    [
      "firmware behind the end",
      write({}, { diskFirmware: { ...firmware, partitions: [{ offsetBytes: 4096n, lengthBytes: 512n }] } }),
      /disk_firmware.partitions: 512 bytes at 4096 are not between/,
    ],
    ["no firmware to rename", write({}, { diskFirmware: { ...firmware, files: [] } }), /disk_firmware.files: 0/],
    [
      "firmware outside of its folder",
      write({}, { diskFirmware: { ...firmware, files: ["../x"] } }),
      /"..\/x" is not a file name/,
    ],
    ["a pattern of files", write({}, { diskFirmware: { ...firmware, files: ["start*.elf"] } }), /is not a file name/],
    ["a filesystem from the future", work("makeFilesystem", { device: "/dev/sda1", type: 9 }), /filesystem/],
    ["a label too long", work("makeFilesystem", { device: "/dev/sda1", type: 1, label: "x".repeat(12) }), /label/],
    ["no way to wipe", work("wipe", { device: "/dev/sda" }), /method/],
    ["no duration", work("identify", {}), /duration/],
    ["more than ten minutes", work("identify", { duration: { seconds: 601n } }), /600/],
    ["less than nothing", work("identify", { duration: { seconds: -1n } }), /duration/],
  ];
  for (const [title, wire, message] of refused) {
    it(`refuses ${title}`, () => {
      assert.throws(
        () => parseSpec(WireSpec.fromPartial(wire)),
        (error) => {
          assert.ok(error instanceof Failure, String(error));
          assert.equal(error.reason, "invalid");
          assert.match(error.message, message);
          return true;
        },
      );
    });
  }
});

describe("parseOperationId", () => {
  it("takes 1 to 64 plain characters", () => {
    for (const id of ["a", "A-z0.9_", "x".repeat(64)]) assert.equal(parseOperationId(id), id);
    for (const id of ["", "x".repeat(65), "a b", "a/b", "ä", "a\n"]) {
      assert.throws(() => parseOperationId(id), /operation_id/);
    }
  });
});
