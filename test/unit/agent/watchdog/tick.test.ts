import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { afterEach, beforeEach, describe, it } from "node:test";
import { pino } from "pino";
import { parseGuardState } from "../../../../agent/watchdog/parse-guard-state.ts";
import { tick } from "../../../../agent/watchdog/tick.ts";
import { createManualClock } from "../../proto/time/manual-clock.ts";

describe("parseGuardState", () => {
  const rows = [
    ["on 300\n", { kind: "on", silenceSeconds: 300 }],
    ["off\n", { kind: "off" }],
    ["none\n", { kind: "none" }],
    ["", undefined],
    ["on\n", undefined],
    ["on soon\n", undefined],
    ["offside\n", undefined],
  ] as const;
  for (const [text, state] of rows)
    it(`reads ${JSON.stringify(text)}`, () => assert.deepEqual(parseGuardState(text), state));
});

describe("the ticks of an agent", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "pallet-tick-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** Starts ticking; `next` is the clock's next stroke. */
  const start = async (state: string | undefined) => {
    if (state !== undefined) await writeFile(join(folder, "state"), state);
    const said: string[] = [];
    const write = (chunk: Buffer, _encoding: string, done: () => void) => {
      said.push((JSON.parse(String(chunk)) as { msg: string }).msg);
      done();
    };
    const clock = createManualClock();
    const stop = tick({
      folder,
      clock,
      log: pino(new Writable({ write })),
    });
    return { said, stop, stroke: () => clock.advance(5_000) };
  };
  const ticked = () => readFile(join(folder, "tick"), "utf8");

  it("are something else each time, and a line that stays as long", async () => {
    const { said, stroke, stop } = await start("on 300\n");
    const texts = new Set([await ticked()]);
    for (let stroke_ = 0; stroke_ < 12; stroke_ += 1) {
      stroke();
      texts.add(await ticked());
    }
    assert.equal(texts.size, 13);
    for (const text of texts) assert.match(text, /^.{31}\n$/);
    assert.match(said.join(), /watchdog restarts this node/);
    stop();
    const last = await ticked();
    stroke();
    assert.equal(await ticked(), last);
  });

  for (const [state, says] of [
    ["off\n", /pallet\.watchdog=off/],
    ["none\n", /this board has none/],
    ["perhaps\n", /another version/],
  ] as const)
    it(`are none, and the log says why, when the guard's state is ${state.trim()}`, async () => {
      const { said } = await start(state);
      assert.match(said.join(), says);
      await assert.rejects(ticked(), { code: "ENOENT" });
    });

  it("are none, without a word, where no initial RAM disk of Pallet's ran", async () => {
    const { said } = await start(undefined);
    assert.deepEqual(said, []);
    await assert.rejects(ticked(), { code: "ENOENT" });
  });
});
