// Whatever an image's config.txt and what it includes say, the firmware of every model boots what we say.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { BootSpec, FirmwareFiles } from "../../../../controller/boot/boot-spec.ts";
import { firmwareKey } from "../../../../controller/boot/render-firmware-config.ts";
import { renderImageConfig, withoutOurSettings } from "../../../../controller/boot/render-image-config.ts";
import { parseConfigTxt } from "../../../rack/machine/parse-config-txt.ts";
import { piModels } from "../../../rack/machine/pi-model.ts";

const filters = [
  "[all]",
  "[none]",
  "[pi3]",
  "[pi3+]",
  "[pi4]",
  "[cm4]",
  "[pi5]",
  "[gpio4=1]",
  "[0x12345678]",
  "[tryboot]",
];
const settings = [
  ...["kernel=other.img", "KERNEL = other.img", "  kernel=/abs.img", "os_prefix=slot-B/", "cmdline=other.txt"],
  ...["initramfs other.gz followkernel", "initramfs a,b 0x00800000", "auto_initramfs=1", "ramfsfile=x", "ramfsaddr=-1"],
  ...["arm_64bit=0", "arm_64bit=1", "boot_ramdisk=1", "os_check=1", "arm_control=0x200", "kernel_old=1"],
];
const others = [
  "dtparam=audio=on",
  "dtoverlay=vc4-kms-v3d",
  "gpu_mem=64",
  "# a comment",
  "",
  "include more.txt",
  "broken",
];
const text = fc
  .array(fc.constantFrom(...filters, ...settings, ...others), { maxLength: 30 })
  .chain((lines) => fc.constantFrom("\n", "\r\n").map((end) => lines.join(end)));

describe("an image's config.txt with our section", () => {
  it("boots what we say on every model", () =>
    fc.assert(
      fc.property(text, text, fc.constantFrom(32, 64), fc.boolean(), (image, more, bits, hasInitrd) => {
        const firmware: FirmwareFiles = {
          folder: "images/a/firmware",
          files: [],
          configTxt: "config.txt",
          osPrefix: "",
          overlayPrefix: "overlays/",
          moreInitrds: [],
          bits,
        };
        const spec: BootSpec = {
          label: "local",
          kernel: "images/a/firmware/kernel8.img",
          ...(hasInitrd && { initrd: "images/a/firmware/initramfs8" }),
          commandLine: ["quiet"],
          firmware,
        };
        const rendered = renderImageConfig(image, spec, firmware);
        const included = withoutOurSettings(more, firmware).replaceAll("include more.txt", "");
        for (const model of Object.values(piModels)) {
          const config = parseConfigTxt(rendered, model.filters, new Map([["more.txt", included]]));
          const ours = ["kernel", "os_prefix", "arm_64bit", "os_check"].map((key) => config.settings.get(key));
          assert.deepEqual(ours, ["kernel", `pallet/${firmwareKey(spec)}/`, bits === 64 ? "1" : "0", "0"]);
          assert.deepEqual(config.initrds, hasInitrd ? ["initrd"] : []);
          for (const key of ["cmdline", "auto_initramfs", "ramfsfile", "ramfsaddr", "boot_ramdisk", "kernel_old"])
            assert.equal(config.settings.get(key), undefined, key);
        }
      }),
    ));

  it("keeps for every model all that is not ours, in its order", () =>
    fc.assert(
      fc.property(text, (image) => {
        const firmware = {
          folder: "f",
          files: [],
          configTxt: "config.txt",
          osPrefix: "",
          overlayPrefix: "",
          moreInitrds: [],
        };
        const spec: BootSpec = { label: "local", kernel: "k", commandLine: [] };
        const rendered = renderImageConfig(image, spec, firmware);
        for (const model of Object.values(piModels)) {
          const before = parseConfigTxt(image, model.filters);
          const after = parseConfigTxt(rendered, model.filters);
          assert.deepEqual(after.overlays, before.overlays);
          assert.deepEqual(after.parameters, before.parameters);
          assert.equal(after.settings.get("gpu_mem"), before.settings.get("gpu_mem"));
        }
      }),
    ));
});
