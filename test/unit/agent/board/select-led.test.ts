import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { selectedTrigger, selectLed } from "../../../../agent/board/select-led.ts";

describe("select-led", () => {
  const leds: readonly [string[], string | undefined][] = [
    [["ACT", "PWR", "mmc0::", "default-on"], "ACT"],
    [["led1", "led0"], "led0"],
    [["PWR"], "PWR"],
    [["input3::capslock", "mmc0::"], undefined],
    [[], undefined],
  ];
  for (const [present, led] of leds) it(`chooses ${led} of [${present}]`, () => assert.equal(selectLed(present), led));

  it("reads the chosen trigger", () => {
    assert.equal(selectedTrigger("none rc-feedback kbd-scrolllock [mmc0] timer\n"), "mmc0");
    assert.equal(selectedTrigger("[none] timer\n"), "none");
    assert.equal(selectedTrigger(""), undefined);
  });
});
