import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { createPlayer } from "./player.ts";
import { inputOf, readSavedInputs, saveFinding } from "./saved-inputs.ts";

const families = new URL("broken-families.ts", import.meta.url).href;
const player = createPlayer(families, { hangMs: 500, memoryMiB: 1_024 });
const smallPlayer = createPlayer(families, { hangMs: 60_000, memoryMiB: 200 });
after(async () => {
  await player.close();
  await smallPlayer.close();
});

describe("families that are played", () => {
  it("find nothing in a parser that is sound", async () => {
    assert.equal(await player.play("sound", 1, 100), undefined);
  });

  it("find the smallest input that breaks a parser, which breaks it again", async () => {
    const finding = await player.play("throws", 1, 10_000);
    assert.equal(finding?.input, 1_000);
    assert.match(finding.error, /TypeError: 1000 is too much/);
    assert.match((await player.check("throws", finding.input)) ?? "", /1000 is too much/);
    assert.equal(await player.check("throws", 999), undefined);
  });

  const caught: readonly (readonly [family: string, error: RegExp, isTheInput: (input: unknown) => boolean])[] = [
    ["never ends", /did not end/, (input) => input instanceof Uint8Array && input.length === 5],
    ["waits for ever", /did not end/, (input) => input === "b"],
    ["takes all memory", /took more than 200 MiB/, (input) => typeof input === "bigint" && input > 2n ** 60n],
    ["repeats what it refuses", /a refusal has \d+ characters/, (input) => String(input).length > 1_900],
    ["throws what it does not declare", /SyntaxError/, (input) => typeof input === "string"],
  ];
  for (const [family, error, isTheInput] of caught) {
    it(`name the input of one that ${family}`, async () => {
      const playing = family === "takes all memory" ? smallPlayer : player;
      const finding = await playing.play(family, 1, 60_000);
      assert.match(finding?.error ?? "", error);
      assert.ok(isTheInput(finding?.input), String(finding?.input));
      assert.match((await playing.check(family, finding?.input)) ?? "", error);
    });
  }
});

describe("saved inputs", () => {
  it("are what was found, once", () => {
    const folder = mkdtempSync(path.join(tmpdir(), "pallet-fuzz-"));
    try {
      const file = pathToFileURL(path.join(folder, "seeds.json"));
      writeFileSync(file, "[]\n");
      const input = { bytes: Buffer.from([1, 2]), size: 2n ** 64n, odd: "\ud800" };
      const finding = { family: "f", seed: 5, path: "3:0", input, error: "Error: one\n  at x" };
      saveFinding(finding, file);
      saveFinding({ ...finding, seed: 6 }, file);
      const [saved, ...others] = readSavedInputs(file);
      assert.ok(saved !== undefined && others.length === 0, readFileSync(file, "utf8"));
      assert.deepEqual([saved.family, saved.seed, saved.path, saved.error], ["f", 6, "3:0", "Error: one"]);
      assert.deepEqual(inputOf(saved), input);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
