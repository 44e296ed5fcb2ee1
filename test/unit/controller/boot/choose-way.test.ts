import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { chooseWay, type Loader } from "../../../../controller/boot/choose-way.ts";
import type { ImageBoot, ImageFirmware } from "../../../../controller/images/catalogue/image.ts";
import { piBoards } from "../../../../controller/images/catalogue/pi-board.ts";
import { anImage } from "./a-node.ts";

const base: ImageBoot = { kernel: "kernel8.img", deviceTrees: [], commandLine: "" };
const trees = [
  ...["bcm2709-rpi-2-b.dtb", "bcm2710-rpi-3-b.dtb", "bcm2710-rpi-3-b-plus.dtb", "bcm2710-rpi-cm3.dtb"],
  ...["bcm2710-rpi-zero-2-w.dtb", "bcm2711-rpi-4-b.dtb", "bcm2711-rpi-400.dtb", "bcm2711-rpi-cm4.dtb"],
  ...["bcm2711-rpi-cm4s.dtb", "bcm2712-rpi-5-b.dtb", "bcm2712-rpi-500.dtb", "bcm2712-rpi-cm5-cm5io.dtb"],
];
const partition: ImageFirmware = {
  folder: "firmware",
  files: ["config.txt", "kernel8.img", ...trees],
  configTxt: "config.txt",
  boots: [
    {
      boards: [...piBoards],
      kernel: "kernel8.img",
      kernelFormat: "arm64-image-gzip",
      initrds: [],
      osPrefix: "",
      overlayPrefix: "overlays/",
    },
  ],
};

/** 64-bit Raspberry Pi OS. */
const raspberryPiOs: ImageBoot = {
  ...base,
  kernelFormat: "arm64-image-gzip",
  kernelOrigin: "raspberry-pi",
  firmware: partition,
};
/** Raspberry Pi OS with arm_64bit=0, or buildroot for 32 bits. */
const narrow: ImageBoot = {
  ...raspberryPiOs,
  kernelFormat: "arm32-zimage",
  firmware: { ...partition, boots: partition.boots.map((boot) => ({ ...boot, kernelFormat: "arm32-zimage" })) },
};
/** Debian's images for the Pi: an upstream kernel beside device trees of upstream's names. */
const debian: ImageBoot = { ...raspberryPiOs, kernelOrigin: "upstream", kernelFormat: "arm64-image" };
/** Debian's generic image, Fedora: no firmware partition that starts a kernel. */
const generic: ImageBoot = { ...base, kernelFormat: "arm64-image", kernelOrigin: "upstream" };
/** What an older Pallet took in. */
const older: ImageBoot = base;

const pi3 = "Raspberry Pi 3 Model B Rev 1.2";
const pi4 = "Raspberry Pi 4 Model B Rev 1.4";
const pi5 = "Raspberry Pi 5 Model B Rev 1.0";
const virtual = "linux,dummy-virt";

/** "own" is the firmware with the image's files. */
type Expected = "u-boot" | "firmware" | "own" | RegExp;

const table: readonly (readonly [title: string, model: string | undefined, ImageBoot | undefined, Loader, Expected])[] =
  [
    ["the agent on a Pi 3", pi3, undefined, "auto", "u-boot"],
    ["the agent on a Pi 4", pi4, undefined, "auto", "u-boot"],
    ["the agent on a Pi 5", pi5, undefined, "auto", "firmware"],
    ["the agent on a board that nobody knows", undefined, undefined, "auto", "u-boot"],
    ["the agent, firmware wanted", pi3, undefined, "firmware", "firmware"],
    ["the agent, U-Boot wanted", pi5, undefined, "u-boot", "u-boot"],
    ["Raspberry Pi OS on a Pi 2", "Raspberry Pi 2 Model B Rev 1.2", raspberryPiOs, "auto", "own"],
    ["Raspberry Pi OS on a Pi 3", pi3, raspberryPiOs, "auto", "own"],
    ["Raspberry Pi OS on a Pi 3B+", "Raspberry Pi 3 Model B Plus Rev 1.3", raspberryPiOs, "auto", "own"],
    ["Raspberry Pi OS on a CM3", "Raspberry Pi Compute Module 3 Rev 1.0", raspberryPiOs, "auto", "own"],
    ["Raspberry Pi OS on a Zero 2", "Raspberry Pi Zero 2 W Rev 1.0", raspberryPiOs, "auto", "own"],
    ["Raspberry Pi OS on a Pi 4", pi4, raspberryPiOs, "auto", "own"],
    ["Raspberry Pi OS on a Pi 400", "Raspberry Pi 400 Rev 1.0", raspberryPiOs, "auto", "own"],
    ["Raspberry Pi OS on a CM4S", "Raspberry Pi Compute Module 4S Rev 1.0", raspberryPiOs, "auto", "own"],
    ["Raspberry Pi OS on a Pi 5", pi5, raspberryPiOs, "auto", "own"],
    ["Raspberry Pi OS on a CM5", "Raspberry Pi Compute Module 5 Rev 1.0", raspberryPiOs, "auto", "own"],
    ["Raspberry Pi OS on a virtual machine", virtual, raspberryPiOs, "auto", "u-boot"],
    ["Raspberry Pi OS on a board that never registered", undefined, raspberryPiOs, "auto", "u-boot"],
    ["Raspberry Pi OS, U-Boot wanted", pi4, raspberryPiOs, "u-boot", "u-boot"],
    ["32 bits on a Pi 3", pi3, narrow, "auto", "own"],
    ["32 bits on a Pi 4", pi4, narrow, "auto", "own"],
    ["32 bits on a Pi 5", pi5, narrow, "auto", /\(32-bit\).*and the image has none that this board can start$/],
    [
      "32 bits on a virtual machine",
      virtual,
      narrow,
      "auto",
      /^U-Boot cannot start .*\(32-bit\): .* for a linux,dummy/,
    ],
    ["32 bits, U-Boot wanted", pi3, narrow, "u-boot", /\(32-bit\): bootProfile\.loader is u-boot; set it to auto$/],
    ["Debian for the Pi on a Pi 3", pi3, debian, "auto", "u-boot"],
    ["Debian for the Pi on a Pi 3, firmware wanted", pi3, debian, "firmware", "own"],
    ["Debian for the Pi on a Pi 5", pi5, debian, "auto", "own"],
    ["Debian's generic image on a Pi 4", pi4, generic, "auto", "u-boot"],
    ["Debian's generic image on a Pi 5", pi5, generic, "auto", "firmware"],
    ["Debian's generic image on a Pi 4, firmware wanted", pi4, generic, "firmware", "firmware"],
    ["an image of an older Pallet on a Pi 4", pi4, older, "auto", "u-boot"],
    ["an image of an older Pallet on a Pi 5", pi5, older, "auto", "firmware"],
  ];

describe("who loads the kernel", () => {
  for (const [title, model, boot, loader, expected] of table)
    it(`of ${title}: ${expected}`, () => {
      const way = chooseWay({ loader, model, image: boot && anImage({ boot }) });
      if (way.kind === "none") assert.match(way.why, expected instanceof RegExp ? expected : /^$/);
      else assert.equal(way.kind === "firmware" && way.own !== undefined ? "own" : way.kind, expected);
    });

  const lacking: readonly (readonly [what: string, ImageFirmware])[] = [
    ["a device tree for the board", { ...partition, files: ["config.txt", "kernel8.img", "bcm2711-rpi-4-b.dtb"] }],
    ["a kernel for the board", { ...partition, boots: [{ ...partition.boots[0], boards: ["pi4"] } as never] }],
  ];
  for (const [what, firmware] of lacking) {
    it(`is U-Boot as before where the image lacks ${what}`, () => {
      const image = anImage({ boot: { ...raspberryPiOs, firmware } });
      assert.deepEqual(chooseWay({ loader: "auto", model: pi3, image }), { kind: "u-boot" });
    });
    it(`is nobody where a 32-bit image lacks ${what}`, () => {
      const image = anImage({ boot: { ...narrow, firmware } });
      assert.equal(chooseWay({ loader: "auto", model: pi3, image }).kind, "none");
    });
  }

  for (const [title, boot, expected] of [
    ["64 bits, although the firmware should have", raspberryPiOs, { kind: "u-boot" }],
    ["32 bits", narrow, { kind: "none", why: /\(32-bit\): the board's firmware can; restart the node$/ }],
  ] as const)
    it(`is U-Boot or nobody when U-Boot asks already: ${title}`, () => {
      const image = anImage({ boot });
      const way = chooseWay({ loader: "u-boot", uBootAsks: true, model: pi3, image });
      assert.equal(way.kind, expected.kind);
      if (way.kind === "none" && "why" in expected) assert.match(way.why, expected.why);
    });

  it("finds the device trees where the image's own os_prefix has them", () => {
    const firmware: ImageFirmware = {
      ...partition,
      files: ["config.txt", "current/vmlinuz", "current/BCM2710-RPI-3-B.DTB"],
      boots: [
        {
          boards: ["pi3"],
          kernel: "current/vmlinuz",
          kernelFormat: "arm64-image",
          initrds: [],
          osPrefix: "current/",
          overlayPrefix: "current/overlays/",
        },
      ],
    };
    const image = anImage({ boot: { ...raspberryPiOs, firmware } });
    assert.equal(chooseWay({ loader: "auto", model: pi3, image }).kind, "firmware");
  });
});
