import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { replaceSerialWords } from "../../../../controller/boot/replace-serial-words.ts";

const words = ["console=serial0,115200", "console=tty1", "kgdboc=serial0", "console=serial1"];
/** By model: what serial0 and serial1 are; undefined for a word that is left out. */
const table: readonly (readonly [model: string | undefined, serial0?: string, serial1?: string])[] = [
  ["Raspberry Pi 2 Model B Rev 1.2", "ttyAMA0", "ttyS1"],
  // QEMU's raspi3b with Debian's device tree has its console there (test/rack/virtual/pi3-board.ts).
  ["Raspberry Pi 3 Model B Rev 1.2", "ttyS1", "ttyAMA0"],
  ["Raspberry Pi 3 Model B Plus Rev 1.3", "ttyS1", "ttyAMA0"],
  ["Raspberry Pi Compute Module 3 Rev 1.0", "ttyAMA0", "ttyS1"],
  ["Raspberry Pi Zero 2 W Rev 1.0", "ttyS1", "ttyAMA0"],
  ["Raspberry Pi 4 Model B Rev 1.4", "ttyS1", "ttyAMA0"],
  ["Raspberry Pi Compute Module 4 Rev 1.0", "ttyS1", "ttyAMA0"],
  ["Raspberry Pi 5 Model B Rev 1.0", "ttyAMA10"],
  ["linux,dummy-virt", "ttyAMA0"],
  ["Some Board"],
  [undefined],
];

describe("the firmware's words for serial ports", () => {
  for (const [model, serial0, serial1] of table)
    it(`become ${serial0 ?? "nothing"} and ${serial1 ?? "nothing"} on a ${model}`, () => {
      const expected = [
        ...(serial0 === undefined ? [] : [`console=${serial0},115200`]),
        "console=tty1",
        ...(serial0 === undefined ? [] : [`kgdboc=${serial0}`]),
        ...(serial1 === undefined ? [] : [`console=${serial1}`]),
      ];
      assert.deepEqual(replaceSerialWords(words, model), expected);
    });

  it("are replaced nowhere else", () => {
    const others = ["console=ttyAMA0,115200", "console=serial00", "init=/serial0", "x.console=serial0"];
    assert.deepEqual(replaceSerialWords(others, undefined), others);
  });
});
