import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { pino } from "pino";
import { watchFirmware } from "../../../../agent/resident/watch-firmware.ts";
import { createManualClock } from "../../proto/time/manual-clock.ts";

/** A watch whose clock is the test's. */
function aWatch(answers: (readonly string[] | Error)[]) {
  const lines: string[] = [];
  const write = (chunk: Buffer, _encoding: string, done: () => void) => {
    const { level, msg } = JSON.parse(String(chunk)) as { level: number; msg: string };
    lines.push(`${level} ${msg}`);
    done();
  };
  const clock = createManualClock();
  const stop = watchFirmware({
    async read() {
      const answer = answers.shift() ?? [];
      if (answer instanceof Error) throw answer;
      return answer;
    },
    clock,
    log: pino({ level: "debug" }, new Writable({ write })),
  });
  const minute = () => clock.advanceSettling(60_000);
  return { lines, minute, stop };
}

describe("watchFirmware", () => {
  it("warns once when firmware is back, and says when it is gone again", async () => {
    const { lines, minute } = aWatch([[], ["/boot/firmware/bootcode.bin"], ["/boot/firmware/bootcode.bin"], []]);
    await turn();
    assert.deepEqual(lines, []);
    await minute();
    await minute();
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? "", /^40 \/boot\/firmware\/bootcode\.bin is back.*the controller will lose the node/);
    await minute();
    assert.deepEqual(lines.slice(1), ["30 the firmware on the card is out of the way again"]);
  });

  it("goes on after a folder that could not be read", async () => {
    const { lines, minute } = aWatch([new Error("EIO"), ["/boot/bootcode.bin"]]);
    await turn();
    await minute();
    assert.deepEqual(
      lines.map((line) => line.slice(0, 2)),
      ["20", "40"],
    );
  });

  it("ends when it is told", async () => {
    const { lines, minute, stop } = aWatch([[], ["/boot/bootcode.bin"]]);
    await turn();
    stop();
    await minute();
    assert.deepEqual(lines, []);
  });
});
