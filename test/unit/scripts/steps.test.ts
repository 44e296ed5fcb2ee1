import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Print, runSteps } from "../../../scripts/steps.ts";

/** A step that waits to be ended, and what it prints with. */
function aStep(title: string) {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const step = {
    title,
    says: (_text: string): void => assert.fail(`${title} has not begun`),
    isRunning: false,
    end: resolve,
    fail: (message: string) => reject(new Error(message)),
    run: async (print: Print) => {
      step.says = print;
      step.isRunning = true;
      await promise;
    },
  };
  return step;
}

/** Until all that can continue has done so. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

function aRun(steps: Parameters<typeof runSteps>[1]) {
  const printed: string[] = [];
  const failed = runSteps("check", steps, (text) => printed.push(text));
  const text = () => printed.join("").replaceAll(/\(\d+\.\d s\)/g, "(T)");
  return { failed, text };
}

describe("steps", () => {
  it("run one after the other, each with its title before and its time behind it", async () => {
    const [first, second] = [aStep("first"), aStep("second")];
    const { failed, text } = aRun([first, second]);
    await settled();
    assert.ok(first.isRunning && !second.isRunning);
    first.says("words\n");
    first.end();
    await settled();
    second.end();
    assert.deepEqual(await failed, []);
    assert.equal(text(), "check: first\nwords\ncheck: ok: first (T)\ncheck: second\ncheck: ok: second (T)\n");
  });

  it("in a list of their own run side by side, and are heard one at a time, in its order", async () => {
    const [first, second, third] = [aStep("first"), aStep("second"), aStep("third")];
    const { failed, text } = aRun([[first, second, third]]);
    await settled();
    assert.ok(first.isRunning && second.isRunning && third.isRunning);
    third.says("3\n");
    second.says("2\n");
    first.says("1\n");
    assert.equal(text(), "check: first\n1\n");
    third.end();
    await settled();
    assert.equal(text(), "check: first\n1\n");
    first.end();
    await settled();
    assert.equal(text(), "check: first\n1\ncheck: ok: first (T)\ncheck: second\n2\n");
    second.says("2 again\n");
    second.end();
    assert.deepEqual(await failed, []);
    assert.match(text(), /2\n2 again\ncheck: ok: second \(T\)\ncheck: third\n3\ncheck: ok: third \(T\)\n$/);
  });

  it("say a failure at once, let the others end, say it again at the end, and begin nothing else", async () => {
    const [first, second, later] = [aStep("first"), aStep("second"), aStep("later")];
    const { failed, text } = aRun([[first, second], later]);
    await settled();
    second.says("evidence\n");
    second.fail("broken");
    await settled();
    assert.match(text(), /check: second\nevidence\nbroken\ncheck: FAILED: second \(T\)\n$/);
    first.says("goes on\n");
    first.end();
    assert.deepEqual(await failed, ["second"]);
    assert.match(text(), /goes on\ncheck: ok: first \(T\)\ncheck: FAILED: second\n$/);
    assert.equal(text().split("evidence").length, 2, "it was said twice");
    assert.ok(!later.isRunning);
  });
});
