import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { describe, it, type TestContext } from "node:test";
import { identify } from "../../../../agent/board/identify.ts";
import { until } from "../../../until.ts";

/** A folder like /sys/class/leds with one LED, whose attributes are plain files. */
async function leds(test: TestContext, name: string, attributes: Record<string, string>) {
  const ledsFolder = await mkdtemp(path.join(os.tmpdir(), "pallet-leds-"));
  test.after(() => rm(ledsFolder, { recursive: true }));
  await mkdir(path.join(ledsFolder, name));
  for (const [attribute, value] of Object.entries(attributes))
    await writeFile(path.join(ledsFolder, name, attribute), value);
  return { ledsFolder, read: (attribute: string) => readFile(path.join(ledsFolder, name, attribute), "utf8") };
}

const patience = { withinMs: 30_000, everyMs: 2 };

describe("identify", () => {
  it("blinks by the kernel's timer and puts the trigger back", async (test) => {
    const { ledsFolder, read } = await leds(test, "ACT", { trigger: "none [mmc0] timer\n", brightness: "0\n" });
    const blinking = identify({ durationMs: 2000, ledsFolder });
    await until(async () => (await read("trigger")) === "timer", "the kernel's timer is not set", patience);
    await blinking;
    assert.equal(await read("trigger"), "mmc0");
  });

  it("puts the brightness back too where no trigger had set it", async (test) => {
    const { ledsFolder, read } = await leds(test, "led0", { trigger: "[none] timer\n", brightness: "255\n" });
    await identify({ durationMs: 1, ledsFolder });
    assert.deepEqual([await read("trigger"), await read("brightness")], ["none", "255"]);
  });

  it("switches the brightness itself where there is no timer", async (test) => {
    const { ledsFolder, read } = await leds(test, "PWR", { trigger: "none [default-on]\n", brightness: "255\n" });
    const blinking = identify({ durationMs: 2000, halfPeriodMs: 10, ledsFolder });
    const seen = new Set<string>();
    const hasBlinked = async (): Promise<boolean> => {
      seen.add(await read("brightness"));
      return seen.has("0") && seen.has("1");
    };
    await until(hasBlinked, () => `the brightness was ${[...seen].join()}`, patience);
    await blinking;
    assert.equal(await read("trigger"), "default-on");
  });

  it("puts everything back when it is cancelled", async (test) => {
    const { ledsFolder, read } = await leds(test, "ACT", { trigger: "none [mmc0] timer\n", brightness: "0\n" });
    const controller = new AbortController();
    const blinking = identify({ durationMs: 60_000, ledsFolder, signal: controller.signal });
    await until(async () => (await read("trigger")) === "timer", "the kernel's timer is not set", patience);
    controller.abort();
    await assert.rejects(blinking, { reason: "cancelled" });
    assert.equal(await read("trigger"), "mmc0");
  });

  it("refuses where no LED is known, and says which there are", async (test) => {
    const { ledsFolder } = await leds(test, "mmc0::", {});
    await assert.rejects(identify({ durationMs: 1, ledsFolder }), {
      reason: "unsupported",
      message: /none of the LEDs ACT, led0, PWR, led1; its LEDs are mmc0::/,
    });
    await assert.rejects(identify({ durationMs: 1, ledsFolder: path.join(ledsFolder, "absent") }), {
      reason: "unsupported",
      message: /it has no LEDs/,
    });
  });
});
