import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { renderEnvironment } from "../../../../controller/boot-tree/render-environment.ts";
import { targetNames, targets } from "../../../../controller/boot-tree/targets.ts";
import { Failure } from "../../../../proto/failure.ts";
import { assertGolden } from "../../../golden.ts";

/** Variables of an environment by their names. */
function variablesOf(text: string): Map<string, string> {
  return new Map(
    text
      .trim()
      .split("\n")
      .map((line) => [line.replace(/=.*/, ""), line.replace(/^[^=]*=/, "")]),
  );
}

describe("the environment of U-Boot", () => {
  for (const name of targetNames)
    it(`of ${name} is what it was when it was looked at last`, () => {
      assertGolden(`boot-tree/environment-${name}`, renderEnvironment(targets[name]));
    });

  for (const name of targetNames) {
    it(`of ${name} knows no way to boot but the network`, () => {
      const text = renderEnvironment(targets[name]);
      assert.match(text, /^bootcmd=while true; do if dhcp; /m);
      assert.doesNotMatch(
        text,
        /mmc|sata|nvme|virtio|scsi|fatload|ext4load|\bload\b|bootflow|distro|boot_targets|saveenv/,
      );
    });

    it(`of ${name} runs no variable that does not exist`, () => {
      const variables = variablesOf(renderEnvironment(targets[name]));
      for (const value of variables.values())
        for (const [, run = ""] of value.matchAll(/\brun (\w+)/g)) assert.ok(variables.has(run), run);
    });

    it(`of ${name} keeps kernel, unpacked kernel, boot config and initial RAM disk apart`, () => {
      const variables = variablesOf(renderEnvironment(targets[name]));
      const at = (variable: string): number => Number(variables.get(variable));
      const areas = [
        { start: at("kernel_addr_r"), bytes: 64 << 20 },
        { start: at("pxefile_addr_r"), bytes: 1 << 20 },
        { start: at("kernel_comp_addr_r"), bytes: 100 << 20 },
        { start: at("ramdisk_addr_r"), bytes: 128 << 20 },
      ].toSorted((one, other) => one.start - other.start);
      for (const [index, { start, bytes }] of areas.entries()) {
        assert.ok(start > 0);
        assert.ok(start + bytes <= (areas[index + 1]?.start ?? Number.POSITIVE_INFINITY), start.toString(16));
      }
    });
  }

  it("refuses a value that the build would read as something else", () => {
    for (const value of ["a\nbootcmd=run evil", "a\\", ""])
      assert.throws(() => renderEnvironment({ ...targets.rpi_arm64, environment: { preboot: value } }), Failure);
  });
});
