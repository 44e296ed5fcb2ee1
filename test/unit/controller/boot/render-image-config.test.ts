import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { BootSpec, FirmwareFiles } from "../../../../controller/boot/boot-spec.ts";
import { firmwareKey } from "../../../../controller/boot/render-firmware-config.ts";
import {
  imageFileFor,
  renderImageConfig,
  sharedFileFor,
  withoutOurSettings,
} from "../../../../controller/boot/render-image-config.ts";
import { assertGolden } from "../../../golden.ts";

const folder = `images/${"ab".repeat(32)}/firmware`;
const firmware: FirmwareFiles = {
  folder,
  files: ["config.txt", "bcm2711-rpi-4-b.dtb", "overlays/vc4-kms-v3d.dtbo", "overlays/README", "start_x.elf"],
  configTxt: "config.txt",
  osPrefix: "",
  overlayPrefix: "overlays/",
  moreInitrds: [],
  bits: 64,
};
const spec: BootSpec = {
  label: "local",
  kernel: `${folder}/kernel8.img`,
  initrd: `${folder}/initramfs8`,
  commandLine: ["console=serial0,115200", "root=UUID=1", "rootwait"],
  firmware,
};

/** As Raspberry Pi OS has it, with what a person may have added. */
const raspberryPiOs = `# For more options and information see http://rptl.io/configtxt
dtparam=audio=on
camera_auto_detect=1
auto_initramfs=1
dtoverlay=vc4-kms-v3d
arm_64bit=1
include usercfg.txt
Kernel = other.img
initramfs other.gz followkernel
ramfsfile=x
os_prefix=slot-A/
cmdline=cmdline-A.txt

[cm4]
otg_mode=1
[pi4]
kernel=kernel_pi4.img
dtparam=poe_fan_temp0=50000
[gpio4=1]
arm_64bit=0`;

describe("config.txt of an image that the board's firmware boots", () => {
  it("is what it was when it was looked at last", () =>
    assertGolden("boot/image-config", renderImageConfig(raspberryPiOs, spec, firmware)));

  it("ends in our section, and names nothing of ours before it, whatever the image says", () => {
    const text = renderImageConfig(raspberryPiOs, spec, firmware);
    const [before = "", section = ""] = text.split("# Rendered by Pallet");
    assert.doesNotMatch(before, /^\s*(kernel|initramfs|ramfsfile|auto_initramfs|os_prefix|cmdline|arm_64bit)\b/im);
    assert.match(
      section,
      new RegExp(
        `^\\[all\\]\\nos_check=0\\narm_64bit=1\\nos_prefix=pallet/${firmwareKey(spec)}/\\nkernel=kernel\\ninitramfs initrd followkernel\\n\\[all\\]\\n$`,
        "m",
      ),
    );
  });

  it("keeps every other line, in its place and under its filter", () => {
    const text = renderImageConfig(raspberryPiOs, spec, firmware);
    const kept = raspberryPiOs.split("\n").filter((line) => !/^(#|kernel|init|ramfs|auto_|os_|cmd|arm_)/i.test(line));
    const lines = text.split("\n");
    let at = 0;
    for (const line of kept) {
      at = lines.indexOf(line, at);
      assert.notEqual(at, -1, line);
    }
  });

  it("is for 32 bits where the kernel is, and leaves the mode to the image where nobody knows", () => {
    assert.match(renderImageConfig("", spec, { ...firmware, bits: 32 }), /^arm_64bit=0$/m);
    const { bits: _, ...unknown } = firmware;
    assert.deepEqual(renderImageConfig("arm_64bit=1\n", spec, unknown).match(/^#?arm_64bit=.*$/gm), ["arm_64bit=1"]);
  });

  it("loads several initrds as one", () => {
    const more = { ...firmware, moreInitrds: [`${folder}/modules.gz`] };
    assert.match(renderImageConfig("", spec, more), /^initramfs initrd,initrd1 followkernel$/m);
  });

  it("takes our settings out of what it includes, too", () =>
    assert.equal(withoutOurSettings("dtparam=i2c\r\nkernel=a\r\n", firmware), "dtparam=i2c\n#kernel=a\n"));

  it("names another folder for other files of the firmware", () => {
    const change = { ...spec, firmware: { ...firmware, osPrefix: "x/" } };
    assert.equal(new Set([spec, change, { ...spec, firmware: undefined } as never].map(firmwareKey)).size, 3);
  });
});

describe("files of the image under the os_prefix of its boot", () => {
  const slots: FirmwareFiles = {
    ...firmware,
    files: ["slot-A/bcm2711-rpi-4-b.dtb", "bcm2711-rpi-4-b.dtb", "slot-A/overlays/a.dtbo", "shared.dtb"],
    osPrefix: "slot-A/",
    overlayPrefix: "slot-A/overlays/",
  };
  const shared: FirmwareFiles = {
    ...slots,
    files: ["slot-A/overlays/a.dtbo", "overlays/a.dtbo"],
    overlayPrefix: "overlays/",
  };
  for (const [title, of, file, found] of [
    ["as they are spelled", firmware, "bcm2711-rpi-4-b.dtb", "bcm2711-rpi-4-b.dtb"],
    ["in any case", firmware, "Overlays/VC4-KMS-V3D.dtbo", "overlays/vc4-kms-v3d.dtbo"],
    ["under the image's own prefix first", slots, "bcm2711-rpi-4-b.dtb", "slot-A/bcm2711-rpi-4-b.dtb"],
    ["else at the top", slots, "shared.dtb", "shared.dtb"],
    ["among the overlays that the image's firmware would take", slots, "overlays/A.dtbo", "slot-A/overlays/a.dtbo"],
    ["among those that its systems share", shared, "overlays/a.dtbo", "overlays/a.dtbo"],
    ["not at all", firmware, "bcm2712-rpi-5-b.dtb", undefined],
  ] as const)
    it(`are found ${title}`, () =>
      assert.deepEqual(imageFileFor(file, of), found === undefined ? undefined : { path: `${folder}/${found}` }));

  it("have a README beside overlays, or the firmware would look elsewhere", () => {
    assert.deepEqual(imageFileFor("overlays/README", firmware), { path: `${folder}/overlays/README` });
    for (const each of [slots, shared]) assert.deepEqual(imageFileFor("overlays/README", each), { text: "" });
    assert.equal(imageFileFor("overlays/README", { ...firmware, files: ["overlays/a.txt"] }), undefined);
  });
});

describe("files of the image that the boot tree lacks", () => {
  const files = ["start_x.elf", "usercfg.txt", "overlays/a.dtbo", "config.txt", "autoboot.txt", "kernel8.img", "a.dtb"];
  const more = ["bootcode.bin", "boot.img", "recovery.elf", "pieeprom.upd", "tryboot.txt", "armstub8.bin"];
  for (const [file, isServed] of [
    ["START_X.ELF", true],
    ["usercfg.txt", true],
    ["overlays/a.dtbo", true],
    ["armstub8.bin", true],
    ["nothing.txt", false],
    ["autoboot.txt", false],
    ["tryboot.txt", false],
    ["config.txt", false],
    ["kernel8.img", false],
    ["a.dtb", false],
    ["bootcode.bin", false],
    ["boot.img", false],
    ["recovery.elf", false],
    ["pieeprom.upd", false],
  ] as const)
    it(`${isServed ? "give" : "do not give"} ${file}`, () =>
      assert.equal(sharedFileFor(file, { folder, files: [...files, ...more] }) !== undefined, isServed));
});
