import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { processorSeconds } from "../../../scripts/processor-seconds.ts";

describe("the processor time that /proc/PID/stat tells", () => {
  for (const program of ["node", "a ) b (", "tmux: server"]) {
    it(`is that of the process and of what it has waited for: ${program}`, () => {
      const stat = `17 (${program}) S 1 17 17 0 -1 4194560 1000 2000 1 2 150 50 1000 25 20 0 11 0 123456 1000 2000\n`;
      assert.equal(processorSeconds(stat), 12.25);
    });
  }
});
