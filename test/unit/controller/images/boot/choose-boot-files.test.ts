import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type BootFiles,
  chooseBootCandidates,
  chooseBootFiles,
} from "../../../../../controller/images/boot/choose-boot-files.ts";
import { parseConfigTxt } from "../../../../../controller/images/boot/parse-config-txt.ts";

interface Case {
  readonly title: string;
  readonly files: readonly string[];
  readonly config?: string;
  readonly chosen: BootFiles | undefined;
}

const piOs = [
  ..."bootcode.bin start4.elf config.txt cmdline.txt kernel.img kernel7.img kernel7l.img kernel8.img".split(" "),
  ..."kernel_2712.img initramfs initramfs7 initramfs7l initramfs8 initramfs_2712".split(" "),
  ..."bcm2711-rpi-4-b.dtb bcm2710-rpi-3-b.dtb overlays/disable-bt.dtbo overlays/extra.dtb".split(" "),
];
const piTrees = ["bcm2710-rpi-3-b.dtb", "bcm2711-rpi-4-b.dtb"];
const ubuntu = ["config.txt", "vmlinuz", "initrd.img", "uboot_rpi_4.bin", "uboot_rpi_3.bin", "bcm2711-rpi-4-b.dtb"];

const cases: readonly Case[] = [
  {
    title: "Raspberry Pi OS 12, 64 bit",
    files: piOs,
    config: "dtparam=audio=on\nauto_initramfs=1\narm_64bit=1\n[cm4]\notg_mode=1\n[all]\n",
    chosen: { kernel: "kernel8.img", initrds: ["initramfs8"], deviceTrees: piTrees },
  },
  {
    title: "Raspberry Pi OS 11, whose firmware loads no initial RAM disk",
    files: piOs,
    config: "[pi4]\narm_boost=1\n[all]\n",
    chosen: { kernel: "kernel8.img", initrds: [], deviceTrees: piTrees },
  },
  {
    title: "Raspberry Pi OS, 32 bit by its own wish",
    files: piOs,
    config: "arm_64bit=0\nauto_initramfs=1\n",
    chosen: { kernel: "kernel7l.img", initrds: ["initramfs7l"], deviceTrees: piTrees },
  },
  {
    title: "Debian for Raspberry Pi, which names versions",
    files: ["vmlinuz-6.1.0-9-arm64", "vmlinuz-6.1.0-10-arm64", "initrd.img-6.1.0-9-arm64", "initrd.img-6.1.0-10-arm64"],
    config: "arm_64bit=1\nkernel=vmlinuz-6.1.0-9-arm64\ninitramfs initrd.img-6.1.0-9-arm64 followkernel\n",
    chosen: { kernel: "vmlinuz-6.1.0-9-arm64", initrds: ["initrd.img-6.1.0-9-arm64"], deviceTrees: [] },
  },
  {
    title: "Debian without config.txt: the newest, by number and not by letter",
    files: [
      ..."vmlinuz-6.1.0-9-arm64 vmlinuz-6.1.0-10-arm64 vmlinuz-6.1.0-11-arm64.old".split(" "),
      ..."initrd.img-6.1.0-9-arm64 initrd.img-6.1.0-10-arm64".split(" "),
    ],
    chosen: { kernel: "vmlinuz-6.1.0-10-arm64", initrds: ["initrd.img-6.1.0-10-arm64"], deviceTrees: [] },
  },
  {
    title: "Ubuntu 20.04, whose kernel= is U-Boot, another for each board",
    files: ubuntu,
    config: "[pi4]\nkernel=uboot_rpi_4.bin\n[pi3]\nkernel=uboot_rpi_3.bin\n[all]\narm_64bit=1\n",
    chosen: { kernel: "vmlinuz", initrds: ["initrd.img"], deviceTrees: ["bcm2711-rpi-4-b.dtb"] },
  },
  {
    title: "Ubuntu 24.10, whose files lie in a folder",
    files: ["config.txt", "current/vmlinuz", "current/initrd.img", "current/bcm2711-rpi-4-b.dtb", "new/vmlinuz"],
    config: "[all]\nos_prefix=current/\nkernel=vmlinuz\ninitramfs initrd.img followkernel\n",
    chosen: {
      kernel: "current/vmlinuz",
      initrds: ["current/initrd.img"],
      deviceTrees: ["current/bcm2711-rpi-4-b.dtb"],
    },
  },
  {
    title: "a kernel for Pi 3 and 4 under filters that agree, and another one for a Pi 5",
    files: ["a.img", "b.img", "kernel8.img"],
    config: "[pi3]\nkernel=a.img\n[pi4]\nkernel=a.img\n[pi5]\nkernel=b.img\n",
    chosen: { kernel: "a.img", initrds: [], deviceTrees: [] },
  },
  {
    title: "kernels under filters that do not agree",
    files: ["a.img", "b.img", "kernel8.img"],
    config: "[pi3]\nkernel=a.img\n[pi4]\nkernel=b.img\n",
    chosen: { kernel: "kernel8.img", initrds: [], deviceTrees: [] },
  },
  {
    title: "a kernel under [none] and one under a filter that nobody can decide here",
    files: ["a.img", "b.img", "kernel8.img"],
    config: "[none]\nkernel=a.img\n[all]\n[gpio4=1]\nkernel=b.img\n",
    chosen: { kernel: "kernel8.img", initrds: [], deviceTrees: [] },
  },
  {
    title: "a config.txt that names a kernel which is not there",
    files: ["kernel8.img"],
    config: "kernel=../../etc/passwd\n",
    chosen: { kernel: "kernel8.img", initrds: [], deviceTrees: [] },
  },
  {
    title: "Yocto",
    files: ["Image", "bcm2711-rpi-4-b.dtb"],
    chosen: { kernel: "Image", initrds: [], deviceTrees: ["bcm2711-rpi-4-b.dtb"] },
  },
  { title: "a partition of firmware only", files: ["bootcode.bin", "u-boot.bin", "start.elf"], chosen: undefined },
];

describe("the choice of boot files", () => {
  for (const { title, files, config, chosen } of cases) {
    it(`is right for ${title}`, () => {
      assert.deepEqual(
        chooseBootFiles(files, config === undefined ? undefined : parseConfigTxt(config).forUBoot()),
        chosen,
      );
    });
  }

  it("looks at the newest versions of a kernel only, whatever number of them an image has", () => {
    const files = Array.from({ length: 20_000 }, (_, index) => `vmlinuz-${index}`);
    const kernels = chooseBootCandidates(files).map(({ kernel }) => kernel);
    assert.deepEqual([kernels.length, kernels[0], kernels.at(-1)], [32, "vmlinuz-19999", "vmlinuz-19968"]);
  });
});
