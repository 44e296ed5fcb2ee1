// Whichever way an image's command line comes, as cmdline.txt or from the catalogue, the same words are for its first
// boot.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { planBoot } from "../../../../../controller/boot/plan-boot.ts";
import { isFirstBootWord } from "../../../../../controller/images/boot/first-boot-words.ts";
import { parseCommandLine } from "../../../../../controller/images/boot/parse-command-line.ts";
import { aNode, anImage, digest } from "../../boot/a-node.ts";

const profile = { agent: { kernel: "Image", append: [] }, local: { append: [] } };
const node = aNode({ bootTarget: { kind: "local", imageDigest: digest } });

for (const [word, isFirst] of [
  ["init=/usr/lib/raspberrypi-sys-mods/firstboot", true],
  ["init=/usr/lib/raspi-config/init_resize.sh", true],
  ["init=/opt/vendor/firstboot", true],
  ["init=/sbin/init", false],
  ["init=/bin/firstboot-done", false],
  ["systemd.run=/boot/firstrun.sh", true],
  ["systemd.run=/boot/firmware/firstrun.sh", true],
  ['systemd.run="/boot/firstrun.sh"', true],
  ["systemd.run=/usr/bin/setup", true],
  ["systemd.run_success_action=reboot", true],
  ["systemd.run_failure_action=reboot", true],
  ["systemd.unit=kernel-command-line.target", true],
  ["systemd.unit=rescue.target", false],
  ["systemd.show_status=1", false],
  ["resize", true],
  ["fsck.repair=yes", false],
  ["quiet", false],
] as const) {
  describe(`the word ${word}`, () => {
    it(isFirst ? "is for the first boot" : "stays", () => assert.equal(isFirstBootWord(word), isFirst));
    it("is so to who reads the image", () => {
      assert.deepEqual(parseCommandLine(`a ${word} b`).words, isFirst ? ["a", "b"] : ["a", word, "b"]);
    });
    it("is so to who plans its boot", () => {
      const image = anImage({ boot: { ...anImage().boot, commandLine: `a ${word} b` } });
      const { spec } = planBoot(node, image, profile, { controller: "10.77.0.1:7700" });
      assert.equal(spec.label, "local");
      assert.equal(spec.commandLine.includes(word), !isFirst);
    });
  });
}
