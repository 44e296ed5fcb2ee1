import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { planListeners } from "../../../../../controller/boot/tftp/plan-listeners.ts";

describe("the addresses that TFTP listens on", () => {
  const own = ["127.0.0.1", "::1", "10.77.0.1", "10.77.0.2", "fe80::1%rack", "10.77.0.1"];
  for (const [told, wanted] of [
    ["10.77.0.1", ["10.77.0.1"]],
    // Whether this machine has it is bind(2)'s to say.
    ["10.77.0.9", ["10.77.0.9"]],
    ["fe80::1%rack", ["fe80::1%rack"]],
    ["0.0.0.0", ["127.0.0.1", "10.77.0.1", "10.77.0.2"]],
    ["::", ["127.0.0.1", "::1", "10.77.0.1", "10.77.0.2", "fe80::1%rack"]],
  ] as const)
    it(`are, for ${told}, ${wanted.join(" ")}`, () => assert.deepEqual(planListeners(told, own), wanted));
});
