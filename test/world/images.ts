import type { Image, ImageName } from "../../controller/images/catalogue/image.ts";
import type { ImageStore } from "../../controller/images/image-store.ts";
import type { ImageDigest, ManifestDigest } from "../../proto/pack/digest.ts";
import type { SystemAbilities } from "../../proto/system/config/abilities.ts";

const mebibyte = 2 ** 20;

/** A system with systemd that takes what the world's profiles say. */
const abilities: SystemAbilities = {
  init: "systemd",
  distribution: "debian",
  users: [{ name: "root", uid: 0, gid: 0, home: "/root" }],
  groups: [{ name: "root", gid: 0 }],
  shells: ["/bin/sh"],
  sudo: false,
  timezones: false,
  locales: [],
  network: {},
  cloudInit: false,
  units: {},
  radios: [],
  has: [],
};

/** An image of a Debian with an initrd; its root is found by its filesystem's UUID. */
function anImage(name: string, mark: string, boot: Partial<Image["boot"]> = {}): Image {
  const digit = mark.slice(0, 1);
  return {
    name: name as ImageName,
    digest: mark.repeat(32) as ImageDigest,
    sizeBytes: 1024 * mebibyte,
    storedBytes: 256 * mebibyte,
    partitionTable: "mbr",
    partitions: [
      {
        number: 1,
        offsetBytes: mebibyte,
        lengthBytes: 256 * mebibyte,
        type: "0c",
        partitionUuid: `${mark.repeat(4)}-01`,
        filesystemType: "vfat",
        label: "bootfs",
        uuid: "",
      },
      {
        number: 2,
        offsetBytes: 512 * mebibyte,
        lengthBytes: 512 * mebibyte,
        type: "83",
        partitionUuid: `${mark.repeat(4)}-02`,
        filesystemType: "ext4",
        label: "rootfs",
        uuid: `${digit.repeat(8)}-${digit.repeat(4)}-4${digit.repeat(3)}-8${digit.repeat(3)}-${digit.repeat(12)}`,
      },
    ],
    rootPartition: 2,
    operatingSystem: "Debian GNU/Linux 12",
    abilities,
    boot: { kernel: "vmlinuz", initrd: "initrd.img", deviceTrees: [], commandLine: "console=ttyS0", ...boot },
    pack: {
      manifestDigest: `${mark.repeat(31)}00` as ManifestDigest,
      manifestBytes: 600_000,
      chunkBytes: 65_536,
      dataBytes: 512 * mebibyte,
      zeroBytes: 256 * mebibyte,
      unusedBytes: 256 * mebibyte,
      fetchBytes: 255 * mebibyte,
      onlyFree: true,
    },
    addedAt: 0,
  };
}

/** The images of a world: the old one, the next one, and one whose first boot reboots by itself. */
export const images: readonly Image[] = [
  anImage("old", "a1"),
  anImage("new", "b2"),
  anImage("rebooting", "c3", { firstBootWords: ["resize"] }),
];

/** Whether the image's first boot ends by itself, before its services run. */
export function rebootsItself(name: string): boolean {
  return name === "rebooting";
}

export function imageOfDigest(digest: string): Image | undefined {
  return images.find((image) => image.digest === digest);
}

/** A catalogue of these, whose boot files are all one file. */
export function createWorldImages(bootFile: string): ImageStore {
  const refuse = (): never => {
    throw new Error("the world's images stay as they are");
  };
  return {
    list: async () => images,
    get: async (name) => images.find((image) => image.name === name),
    getByDigest: async (digest) => imageOfDigest(digest),
    getByManifest: async (digest) => images.find((image) => image.pack.manifestDigest === digest),
    add: refuse,
    addRaw: refuse,
    remove: refuse,
    storedFile: () => undefined,
    packFile: () => undefined,
    bootFile: (digest) => (imageOfDigest(digest) === undefined ? undefined : bootFile),
  };
}
