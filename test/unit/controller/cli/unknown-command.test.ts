import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { run } from "./a-console.ts";

describe("a word that is no command: exit code 2, with the nearest that is one", () => {
  for (const [line, said] of [
    ["reimge --all", /unknown command 'reimge'\n\(Did you mean reimage\?\)/],
    ["node shwo rack-1", /unknown command 'shwo'\n\(Did you mean show\?\)/],
    ["images shwo x", /unknown command 'shwo'; did you mean show\? \(see controller images --help\)/],
    ["image ad x", /unknown command 'ad'; did you mean add\?/],
    ["images xyzzy", /unknown command 'xyzzy' \(see controller images --help\)/],
    ["help reimge", /unknown command 'reimge'; did you mean reimage\? \(see controller help\)/],
    ["help node shw", /unknown command 'shw'; did you mean show\?/],
    ["help \u001b[2J", /unknown command/],
  ] as const)
    it(JSON.stringify(line), async () => {
      const { code, stdout, stderr } = await run(line.split(" "), { socket: "/nonexistent" });
      assert.deepEqual([code, stdout], [2, ""]);
      assert.match(stderr, said);
      assert.ok(!stderr.includes("\u001b"));
    });
});

describe("help of commands", () => {
  for (const [line, usage] of [
    ["help", "Usage: controller [options] [command]"],
    ["help reimage", "Usage: controller reimage [options] [nodes...]"],
    ["help node show", "Usage: controller node show [options] [nodes...]"],
    ["help image ls", "Usage: controller images list|ls [options]"],
    ["help reimage rack-1", "Usage: controller reimage [options] [nodes...]"],
  ] as const)
    it(line, async () => {
      const { code, stdout, stderr } = await run(line.split(" "));
      assert.deepEqual([code, stderr], [0, ""]);
      assert.equal(stdout.split("\n")[0], usage);
    });
});
