// What images add and images show say of an image's own boot files and of its own first boot, for people.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { planBoot } from "../../../../../controller/boot/plan-boot.ts";
import { describeNotes } from "../../../../../controller/images/boot/describe-notes.ts";
import type { Image, ImageBoot, ImageFirmware } from "../../../../../controller/images/catalogue/image.ts";
import { aNode, anImage, digest } from "../../boot/a-node.ts";

const base = anImage();
const withUuid: Image = { ...base, partitions: base.partitions.map((partition) => ({ ...partition, uuid: "aa-bb" })) };
const noted = (boot: Partial<ImageBoot>, image = withUuid): Image => ({ ...image, boot: { ...image.boot, ...boot } });
const { initrd: _, ...withoutInitrd } = base.boot;
const firmware: ImageFirmware = {
  folder: "firmware",
  files: ["kernel7.img"],
  boots: [
    {
      boards: ["pi2", "pi3", "pi4"],
      kernel: "kernel7.img",
      kernelFormat: "arm32-zimage",
      initrds: [],
      osPrefix: "",
      overlayPrefix: "overlays/",
    },
  ],
};

const cases: readonly (readonly [string, Image, readonly RegExp[]])[] = [
  ["an image of an older Pallet", base, []],
  [
    "the word resize, with an initrd",
    noted({ firstBootWords: ["resize"] }),
    [
      /^"resize" is passed on at the first boot from the card only: its initrd grows the root partition and gives the disk another id\./,
    ],
  ],
  [
    "the word resize without an initrd, where the root is found by the disk's id",
    { ...withUuid, boot: { ...withoutInitrd, firstBootWords: ["resize"] } },
    [
      /^"resize" is not passed on, since its kernel finds the root by the disk's id.* does not happen: its initrd grows/,
    ],
  ],
  [
    "firstboot and custom.toml",
    noted({
      firstBootWords: ["init=/usr/lib/raspberrypi-sys-mods/firstboot"],
      notes: [{ kind: "custom-toml", detail: "custom.toml" }],
    }),
    [/^"init=.*firstboot" is passed on .*SSH host keys/, /^custom\.toml is applied in that first boot$/],
  ],
  [
    "custom.toml without firstboot",
    noted({ notes: [{ kind: "custom-toml", detail: "custom.toml" }] }),
    [/^custom\.toml is not applied: .*by cloud-init$/],
  ],
  [
    "several words of Raspberry Pi Imager, once",
    noted({ firstBootWords: ["systemd.run=/boot/firstrun.sh", "systemd.unit=kernel-command-line.target"] }),
    [/^"systemd\.run=\/boot\/firstrun\.sh" "systemd\.unit=.*" is passed on .*firstrun\.sh, and restarts$/],
  ],
  [
    "cloud-init",
    noted({ notes: [{ kind: "cloud-init", detail: "user-data" }] }),
    [/^cloud-init applies user-data from the firmware partition at each node's first boot/],
  ],
  [
    "cloud-init that is not there",
    noted({ notes: [{ kind: "cloud-init-lacking", detail: "user-data" }] }),
    [/^user-data .* has no effect: the image has no cloud-init/],
  ],
  [
    "settings of config.txt under U-Boot",
    noted({ kernelOrigin: "upstream", notes: [{ kind: "config-txt", detail: "dtoverlay" }] }),
    [/^dtoverlay of its config\.txt have no effect on boards where U-Boot loads its kernel/],
  ],
  [
    "settings of config.txt where the firmware boots it",
    noted({ kernelOrigin: "raspberry-pi", firmware, notes: [{ kind: "config-txt", detail: "dtoverlay" }] }),
    [/^the firmware of a Pi 2, Pi 3, Pi 4 boots it by the image's own config\.txt, device trees and overlays$/],
  ],
  [
    "a 32-bit system",
    noted({ kernelFormat: "arm32-zimage", kernelOrigin: "raspberry-pi", firmware }),
    [
      /^its kernel is a 32-bit one, which U-Boot cannot start; the firmware of a Pi 2/,
      /--no-resident; its proof is a weak one$/,
    ],
  ],
  [
    "two systems",
    noted({ notes: [{ kind: "two-systems", detail: "2 and 3" }] }),
    [/nodes always boot the one in partition 2/],
  ],
  [
    "settings for a first boot that happens",
    noted({
      firstBootWords: ["init=/usr/lib/raspberrypi-sys-mods/firstboot"],
      ownSettings: [
        { file: "custom.toml", reader: "firstboot", sets: ["hostname", "users"] },
        { file: "firstrun.sh", reader: "systemd-run", sets: ["users"] },
      ],
    }),
    [
      /firstboot" is passed on/,
      /^custom\.toml sets hostname, users: a profile that says something of these, too, is refused$/,
    ],
  ],
  ["a kind that only a newer Pallet knows", noted({ notes: [{ kind: "toString" }, { kind: "new" }] }), []],
];

describe("what is said of", () => {
  for (const [title, image, expected] of cases) {
    it(title, () => {
      const said = describeNotes(image);
      assert.equal(said.length, expected.length, said.join("\n"));
      for (const [index, pattern] of expected.entries()) assert.match(said[index] ?? "", pattern);
    });
  }
});

describe("that a first-boot word is passed on", () => {
  // Whichever it says, a boot that is not the first has no such word.
  for (const [title, image] of cases) {
    it(`is never true of a later boot: ${title}`, () => {
      const node = aNode({ bootTarget: { kind: "local", imageDigest: digest } });
      const profile = { agent: { kernel: "Image", append: [] }, local: { append: [] } };
      const { spec } = planBoot(node, { ...image, digest }, profile, { controller: "10.77.0.1:7700" });
      for (const word of image.boot.firstBootWords ?? []) assert.ok(!spec.commandLine.includes(word));
    });
  }
});
