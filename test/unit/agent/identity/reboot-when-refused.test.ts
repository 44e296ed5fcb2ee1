import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { rebootWhenRefused } from "../../../../agent/identity/reboot-when-refused.ts";
import { createManualClock } from "../../proto/time/manual-clock.ts";

/** A node that is refused every half minute, from now on. */
function aRefusedNode(test: TestContext, { reboots = true } = {}) {
  const clock = createManualClock();
  const stopped = new AbortController();
  test.after(() => stopped.abort());
  const running = { state: "succeeded" as "running" | "succeeded" };
  const said: string[] = [];
  const heard = rebootWhenRefused(
    {
      operations: {
        list: () => [running],
        refuse(reason) {
          said.push(reason);
          return () => void said.push("takes operations again");
        },
      },
      async reboot() {
        if (!reboots) throw new Error("no way to reboot");
        said.push("reboots");
      },
      spread: 0,
      clock,
      log: { warn: () => undefined, error: (_, message) => void said.push(message) },
    },
    stopped.signal,
  );
  const pass = async (minutes: number, answer: "accepted" | "refused" | "silence" = "refused"): Promise<void> => {
    for (let half = 0; half < minutes * 2; half += 1) {
      if (answer !== "silence") heard(answer);
      await clock.advanceSettling(30_000);
    }
  };
  return { pass, running, said };
}

describe("a netbooted agent that is refused", () => {
  it("reboots its node after five minutes, and starts nothing from then on", async (test) => {
    const { pass, said } = aRefusedNode(test);
    await pass(4.5);
    assert.deepEqual(said, []);
    await pass(1.5);
    assert.equal(said.length, 2);
    assert.match(said[0] ?? "", /this node reboots/);
    assert.equal(said[1], "reboots");
  });

  it("does not while an operation runs", async (test) => {
    const { pass, running, said } = aRefusedNode(test);
    running.state = "running";
    await pass(30);
    assert.deepEqual(said, []);
    running.state = "succeeded";
    await pass(0.5);
    assert.equal(said.at(-1), "reboots");
  });

  it("does not when the controller takes it in between, or is away", async (test) => {
    const { pass, said } = aRefusedNode(test);
    await pass(4.5);
    await pass(0.5, "accepted");
    await pass(4.5);
    await pass(10, "silence");
    await pass(4.5);
    assert.deepEqual(said, []);
  });

  it("takes operations again when it cannot be rebooted, and tries again later", async (test) => {
    const { pass, said } = aRefusedNode(test, { reboots: false });
    await pass(6);
    assert.deepEqual(said.slice(1), ["cannot reboot this node", "takes operations again"]);
    await pass(6);
    assert.equal(said.length, 6);
  });
});
