import assert from "node:assert/strict";
import { resetSign } from "../../rack/virtual/qemu-machine.ts";
import type { VirtualBoard } from "../../rack/virtual/virtual-board.ts";
import { patience } from "./rack-of-two.ts";

/**
 * Resolves when the board has reset itself and boots again, after that mark of its console. What a Pi 2, 3 or 4 without
 * a restart handler does instead is said by its kernel (arch/arm64/kernel/process.c, machine_restart), and fails at
 * once.
 */
export async function assertRestarts(board: VirtualBoard, mark: number): Promise<void> {
  const [said] = await board.console.waitFor(new RegExp(`${resetSign}|System halted|rack: power off`), {
    from: mark,
    ...patience,
  });
  assert.equal(said, resetSign, "the board did not restart by itself");
}
