import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { watchKernels } from "../../../../agent/resident/watch-kernels.ts";
import type { InstalledKernels } from "../../../../proto/system/judge-kernels.ts";
import { createManualClock } from "../../proto/time/manual-clock.ts";

const image: InstalledKernels = { modules: [{ release: "6.1", usable: true }], kernels: ["6.1"] };
const upgraded: InstalledKernels = { modules: [{ release: "6.2", usable: true }], kernels: ["6.2"] };

describe("watchKernels", () => {
  it("warns once for each change, goes on after an error, and gives what was read last", async () => {
    const answers: (InstalledKernels | Error)[] = [image, upgraded, upgraded, new Error("EIO"), image];
    const lines: string[] = [];
    const say = (level: string) => (first: unknown, message?: string) =>
      void lines.push(`${level} ${message ?? first}`);
    const clock = createManualClock();
    const watch = watchKernels({
      running: "6.1",
      clock,
      log: { debug: say("debug"), info: say("info"), warn: say("warn") } as never,
      async read() {
        const answer = answers.shift() ?? image;
        if (answer instanceof Error) throw answer;
        return answer;
      },
    });
    await watch.ready;
    assert.deepEqual([lines, watch.current()], [[], image]);
    await clock.advanceSettling(20_000);
    await clock.advanceSettling(20_000);
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? "", /^warn this node runs kernel 6\.1, .*modules of 6\.2 only/);
    await clock.advanceSettling(20_000);
    assert.deepEqual(watch.current(), upgraded);
    await clock.advanceSettling(20_000);
    assert.deepEqual(
      lines.slice(1).map((line) => line.slice(0, 30)),
      ["debug could not look at the ke", "info the kernel and the module"],
    );
    watch.stop();
    await clock.advanceSettling(20_000);
    assert.equal(lines.length, 3);
  });
});
