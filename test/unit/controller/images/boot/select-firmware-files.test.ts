import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { selectFirmwareFiles } from "../../../../../controller/images/boot/select-firmware-files.ts";

const select = (files: readonly string[], others: readonly string[] = [], named: readonly string[] = []) =>
  selectFirmwareFiles(files, others, named);

describe("of a firmware partition", () => {
  const asked = [
    ..."config.txt cmdline.txt CMDLINE.TXT bootcode.bin start.elf start4.elf start_x.elf fixup4cd.dat".split(" "),
    ..."armstub8-gic.bin kernel.img kernel7l.img kernel8.img kernel_2712.img vmlinuz vmlinuz-6.1.0-18-arm64".split(" "),
    ..."initrd.img initramfs8 initramfs_2712 Image zImage bcm2711-rpi-4-b.dtb bcm2712d0-rpi-5-b.dtb".split(" "),
    ..."overlays/README overlays/overlay_map.dtb overlays/bcm2712d0.dtbo current/overlays/README current/vmlinuz".split(
      " ",
    ),
  ];
  for (const path of asked) it(`${path} is kept`, () => assert.deepEqual(select([path]).kept, [path]));

  const secret = [
    ..."user-data meta-data network-config custom.toml userconf.txt userconf ssh wpa_supplicant.conf".split(" "),
    ..."firstrun.sh issue.txt dietpi.txt sysconf.txt apks/x.apk SYSTEM EFI/BOOT/BOOTAA64.EFI README.txt".split(" "),
  ];
  for (const path of secret) it(`${path} is not`, () => assert.deepEqual(select([path]).kept, []));

  it("what config.txt names or includes is kept, whatever it is called and wherever it lies", () => {
    const { kept } = select(
      ["Mine.TXT", "boot/my-kernel", "current/other"],
      [],
      ["mine.txt", "/boot/My-Kernel", "other"],
    );
    assert.deepEqual(kept, ["Mine.TXT", "boot/my-kernel", "current/other"]);
  });
  it("the first of two names that differ by case only is kept", () => {
    assert.deepEqual(select(["kernel8.img", "KERNEL8.IMG"]).kept, ["kernel8.img"]);
  });
  it("what has no plain name is named, unless it is a hidden file of macOS", () => {
    assert.deepEqual(select([], ["a b.dtbo", "-n.dtb", "._config.txt", "my notes.doc"]).skipped, [
      "-n.dtb",
      "a b.dtbo",
    ]);
  });
  it("what lies too deep, or behind too many others, is named", () => {
    const deep = `${"a/".repeat(9)}x.dtb`;
    const many = Array.from({ length: 5000 }, (_, index) => `overlays/${index}.dtbo`);
    const { kept, skipped } = select(["config.txt", "kernel8.img", deep, ...many]);
    assert.equal(kept.length, 4096);
    assert.ok(kept.includes("config.txt") && kept.includes("kernel8.img") && skipped.includes(deep));
    assert.equal(kept.length + skipped.length, 5003);
  });
  it("as many files as a FAT can have, and as many names as config.txt can, are no work", () => {
    const many = Array.from({ length: 50_000 }, (_, index) => `a/${index}`);
    const named = Array.from({ length: 7_000 }, (_, index) => `/${index}~`);
    assert.deepEqual(select([...many, "a/b/7~"], [], named).kept, ["a/b/7~"]);
  });
});
