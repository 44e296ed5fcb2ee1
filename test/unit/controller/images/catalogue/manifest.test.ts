import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Image } from "../../../../../controller/images/catalogue/image.ts";
import {
  parseImageName,
  parseManifest,
  renderManifest,
} from "../../../../../controller/images/catalogue/parse-manifest.ts";
import { Failure } from "../../../../../proto/failure.ts";
import type { ImageDigest, ManifestDigest } from "../../../../../proto/pack/digest.ts";

const image: Image = {
  name: parseImageName("debian-12"),
  digest: "a".repeat(64) as ImageDigest,
  sizeBytes: 8192,
  storedBytes: 100,
  partitionTable: "mbr",
  partitions: [
    {
      number: 2,
      offsetBytes: 512,
      lengthBytes: 1024,
      type: "83",
      partitionUuid: "4e639091-02",
      filesystemType: "ext4",
      label: "rootfs",
      uuid: "",
    },
  ],
  rootPartition: 2,
  operatingSystem: "Debian GNU/Linux 12",
  boot: { kernel: "kernel8.img", deviceTrees: ["bcm2711-rpi-4-b.dtb"], commandLine: "rootwait" },
  pack: {
    manifestDigest: "b".repeat(64) as ManifestDigest,
    manifestBytes: 90,
    chunkBytes: 4096,
    dataBytes: 4096,
    zeroBytes: 0,
    unusedBytes: 4096,
    fetchBytes: 60,
  },
  addedAt: 1_700_000_000_000,
};

/** The same with what this Pallet finds out besides. */
const withFirmware: Image = {
  ...image,
  boot: {
    ...image.boot,
    kernelFormat: "arm64-image-gzip",
    kernelOrigin: "raspberry-pi",
    firmware: {
      folder: "firmware",
      files: ["config.txt", "kernel8.img", "initramfs8", "overlays/README"],
      configTxt: "config.txt",
      boots: [
        {
          boards: ["pi3", "pi4"],
          kernel: "kernel8.img",
          kernelFormat: "arm64-image-gzip",
          initrds: ["initramfs8"],
          osPrefix: "",
          overlayPrefix: "overlays/",
        },
      ],
    },
    notes: [{ kind: "resize" }, { kind: "skipped", detail: "a b.dtb" }],
  },
};

const changeFirmware = (change: object) => (json: Record<string, unknown>) =>
  Object.assign(json, { boot: { ...withFirmware.boot, firmware: { ...withFirmware.boot.firmware, ...change } } });

describe("a manifest", () => {
  for (const [title, of] of [
    ["of an older Pallet", image],
    ["with boot files of the firmware", withFirmware],
  ] as const)
    it(`${title} is read as it was written`, () => assert.deepEqual(parseManifest(renderManifest(of)), of));
  it("leaves out boards that only a newer Pallet knows", () => {
    const json = JSON.parse(renderManifest(withFirmware));
    json.boot.firmware.boots[0].boards.push("pi6");
    assert.deepEqual(parseManifest(JSON.stringify(json)), withFirmware);
  });

  const broken: readonly (readonly [string, (json: Record<string, unknown>) => void, RegExp])[] = [
    ["comes from a newer Pallet", (json) => Object.assign(json, { format: "pack-2" }), /format is from a newer Pallet/],
    ["lacks something", (json) => delete json["digest"], /digest/],
    [
      "names a root that is not there",
      (json) => Object.assign(json, { rootPartition: 7 }),
      /rootPartition names a partition/,
    ],
    [
      "names a file outside its folder",
      (json) => Object.assign(json, { boot: { ...image.boot, kernel: "../../etc/passwd" } }),
      /boot.kernel must be a plain file name/,
    ],
    [
      "has a firmware file outside its folder",
      changeFirmware({ files: ["../../../etc/passwd"] }),
      /boot.firmware.files.0 must be a path of plain file names/,
    ],
    ["boots a file that it lacks", changeFirmware({ files: ["config.txt"] }), /boot.firmware names a file that/],
    ["has several faults", (json) => Object.assign(json, { name: "A", sizeBytes: 1 }), /name must be .*; sizeBytes /],
  ];
  for (const [title, change, message] of broken) {
    it(`is refused, with what is wrong, when it ${title}`, () => {
      const json = JSON.parse(renderManifest(image));
      change(json);
      assert.throws(
        () => parseManifest(JSON.stringify(json)),
        (error) => error instanceof Failure && message.test(error.message),
      );
    });
  }
  it("is refused when it is no JSON", () => assert.throws(() => parseManifest("{"), /it is not JSON/));
});

describe("an image's name", () => {
  for (const name of ["a", "debian-12.5_arm64", "0", "a".repeat(63)])
    it(`${name} is taken`, () => assert.equal(parseImageName(name), name));
  for (const name of ["", "A", "-a", ".a", "a/b", "a b", "..", "a".repeat(64)]) {
    it(`${JSON.stringify(name)} is not`, () => assert.throws(() => parseImageName(name), /is not a valid image name/));
  }
});
