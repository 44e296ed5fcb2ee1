import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { correctScriptPaths, planFirstBoots } from "../../../../../controller/images/boot/plan-first-boots.ts";

const init = "init=/usr/lib/raspberrypi-sys-mods/firstboot";
const oldInit = "init=/usr/lib/raspi-config/init_resize.sh";
const run = "systemd.run=/boot/firmware/firstrun.sh";
const reboot = "systemd.run_success_action=reboot";
const target = "systemd.unit=kernel-command-line.target";

describe("the boots of an image's first boot", () => {
  const cases: readonly [title: string, words: readonly string[], boots: readonly (readonly string[])[]][] = [
    ["none", [], []],
    ["Raspberry Pi OS trixie", ["resize"], [["resize"]]],
    ["bookworm", [init], [[init]]],
    [
      "bookworm by Imager",
      [init, run, reboot, target],
      [
        [init, run, reboot, target],
        [run, reboot, target],
      ],
    ],
    [
      "bullseye by Imager",
      [oldInit, run, reboot, target],
      [
        [oldInit, run, reboot, target],
        [run, reboot, target],
      ],
    ],
    ["trixie with a script", ["resize", run, target], [["resize", run, target]]],
  ];
  for (const [title, words, boots] of cases)
    it(`of ${title} are ${boots.length}`, () => assert.deepEqual(planFirstBoots(words), boots));
});

describe("the path of a first boot's script", () => {
  const fstab = "proc /proc proc defaults 0 0\nPARTUUID=4e639091-01 /boot/firmware vfat defaults 0 2\n";
  const cases: readonly [title: string, word: string, fstab: string, present: readonly string[], expected: string][] = [
    ["follows the firmware partition", "systemd.run=/boot/firstrun.sh", fstab, [], run],
    ["keeps its quotes", 'systemd.run="/boot/firstrun.sh"', fstab, [], 'systemd.run="/boot/firmware/firstrun.sh"'],
    [
      "stays where that is mounted at /boot",
      "systemd.run=/boot/a.sh",
      "/dev/sda1 /boot vfat",
      [],
      "systemd.run=/boot/a.sh",
    ],
    ["stays where the root has the script", "systemd.run=/boot/a.sh", fstab, ["/boot/a.sh"], "systemd.run=/boot/a.sh"],
    ["stays when it is right", run, fstab, [], run],
    ["stays without an fstab", "systemd.run=/boot/a.sh", "", [], "systemd.run=/boot/a.sh"],
    [
      "stays where only a comment mounts it",
      "systemd.run=/boot/a.sh",
      "# /dev/x /boot/firmware vfat",
      [],
      "systemd.run=/boot/a.sh",
    ],
  ];
  for (const [title, word, table, present, expected] of cases)
    it(title, () => assert.deepEqual(correctScriptPaths([word, reboot], table, new Set(present)), [expected, reboot]));
});
