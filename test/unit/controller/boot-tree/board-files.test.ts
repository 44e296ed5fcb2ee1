import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { boardFiles, selectUnserved } from "../../../../controller/boot-tree/board-files.ts";
import { boardFirmwareOf } from "../../../../controller/nodes/board-firmware.ts";

/** Device trees of linux-image-6.1.0-50-arm64 of Debian 12. */
const bookworm = (
  "bcm2711-rpi-4-b bcm2711-rpi-400 bcm2711-rpi-cm4-io bcm2837-rpi-3-a-plus bcm2837-rpi-3-b-plus bcm2837-rpi-3-b " +
  "bcm2837-rpi-cm3-io3 bcm2837-rpi-zero-2-w"
)
  .split(" ")
  .map((name) => `${name}.dtb`);
/** Those that linux-base-7.3.4+deb13-arm64 of trixie-backports has besides. */
const backports = ["bcm2712-d-rpi-5-b.dtb", "bcm2712-rpi-5-b.dtb", "bcm2837-rpi-2-b.dtb"];

describe("boards and the files that their firmware asks for", () => {
  for (const [title, files, unserved] of [
    ["the kernel of Debian 12", bookworm, ["Pi 2 v1.2", "Pi 5 (C1)", "CM4S", "Pi 5 (D0)", "Pi 500", "CM5", "CM5 Lite"]],
    [
      "that and the one of trixie-backports",
      [...bookworm, ...backports],
      ["CM4S", "Pi 5 (D0)", "Pi 500", "CM5", "CM5 Lite"],
    ],
  ] as const)
    it(`${title}: ${unserved.join(", ")} are named as unserved`, () => {
      const found = selectUnserved((path) => files.some((file) => file === path));
      assert.deepEqual(found.flatMap(({ boards }) => boards).toSorted(), unserved.toSorted());
      for (const { missing, remedy } of found) {
        assert.ok(missing.length > 0);
        assert.match(remedy, /controller rootfs (build|import)/);
      }
    });

  it("nothing is said where nothing is missing", () => {
    assert.deepEqual(
      selectUnserved(() => true),
      [],
    );
  });

  it("every family of boards that a card's firmware is known for is in the table", () => {
    for (const model of [
      "2 Model B",
      "3 Model B",
      "Zero 2 W",
      "Compute Module 3",
      "4 Model B",
      "400",
      "5 Model B",
      "500",
    ]) {
      assert.ok(boardFirmwareOf(`Raspberry Pi ${model}`).files.length < 8, model);
      const short = model.replace(" Model ", "").replace("Compute Module ", "CM");
      assert.ok(
        boardFiles.some(({ boards }) => boards.includes(short) || boards.startsWith(`Pi ${short[0]}`)),
        model,
      );
    }
  });
});
