import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { Problem } from "../../../../controller/check/problem.ts";
import { watchProblems } from "../../../../controller/check/watch-problems.ts";
import { NotYet } from "../../../../controller/refusal/not-yet.ts";
import { createPatience, type Patience } from "../../../../controller/serving/patience.ts";
import { createManualClock, type ManualClock } from "../../proto/time/manual-clock.ts";

describe("what is not there yet", () => {
  let clock: ManualClock;
  let lines: string[];
  let stop: AbortController;
  let patience: Patience;
  const say = (_: object, message: string) => void lines.push(message);
  const log = { info: say, warn: say, error: say };
  beforeEach(() => {
    clock = createManualClock();
    lines = [];
    stop = new AbortController();
    patience = createPatience({ clock, log, signal: stop.signal });
  });
  const later = async (ms: number): Promise<void> => {
    await setImmediate();
    clock.advance(ms);
    await setImmediate();
  };

  it("is tried again until it is there, and each reason is said once", async () => {
    const answers = ["no address", "no address", "no folder", "there"];
    const { first, opened } = patience.until("NFS", async () => {
      const answer = answers.shift() ?? "";
      if (answer !== "there") throw new NotYet(answer);
      return answer;
    });
    await first;
    assert.deepEqual(patience.waiting(), ["NFS: no address"]);
    await later(1000);
    await later(2000);
    assert.deepEqual(patience.waiting(), ["NFS: no folder"]);
    await later(4000);
    assert.equal(await opened, "there");
    assert.deepEqual(patience.waiting(), []);
    assert.deepEqual(lines, ["NFS is waiting: no address", "NFS is waiting: no folder", "NFS is no longer waiting"]);
  });

  it("is given up for any other error, at once and later", async () => {
    const broken = patience.until("DHCP", () => Promise.reject(new Error("broken")));
    await assert.rejects(broken.first, /broken/);
    await assert.rejects(broken.opened, /broken/);
    let attempt = 0;
    const breaking = patience.until("DHCP", async () => {
      throw attempt++ === 0 ? new NotYet("no cable") : new Error("broken");
    });
    await breaking.first;
    await later(1000);
    await assert.rejects(breaking.opened, /broken/);
  });

  it("is waited for no longer than the controller runs", async () => {
    const { first, opened } = patience.until("DHCP", () => Promise.reject(new NotYet("no cable")));
    await first;
    stop.abort(new Error("the end"));
    await assert.rejects(opened, /the end/);
  });

  describe("as a problem", () => {
    const problem = (message: string, more: Partial<Problem> = {}): Problem => ({
      part: "boot tree",
      message,
      remedy: "build",
      isFatal: false,
      ...more,
    });

    it("is looked for again, and only what changes is said", async () => {
      let problems = [problem("no kernel"), problem("no initrd")];
      const watch = await watchProblems({ find: async () => problems, clock, log, signal: stop.signal });
      assert.deepEqual(watch.now(), ["boot tree: no kernel. Remedy: build", "boot tree: no initrd. Remedy: build"]);
      await later(5000);
      problems = [problem("no initrd")];
      await later(10_000);
      assert.deepEqual(watch.now(), ["boot tree: no initrd. Remedy: build"]);
      problems = [];
      await later(5000);
      assert.deepEqual(watch.now(), []);
      assert.deepEqual(lines.slice(2), ["nothing keeps nodes from booting any longer"]);
    });

    it("of a port may be that of a controller which ends just now", async () => {
      let looks = 0;
      const held = problem("a port is held", { part: "ports", isFatal: true });
      const watching = watchProblems({
        find: async () => (looks++ < 2 ? [held] : []),
        clock,
        log,
        signal: stop.signal,
      });
      await later(500);
      await later(500);
      assert.deepEqual((await watching).now(), []);
    });

    it("that stays until somebody acts ends the start, with all that is wrong", async () => {
      const find = async () => [problem("no program", { part: "programs", isFatal: true }), problem("no kernel")];
      const watching = watchProblems({ find, clock, log, signal: stop.signal });
      await assert.rejects(watching, /^Failure: cannot serve:\n {2}programs: no program.*\n {2}boot tree: no kernel/);
    });
  });
});
