import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { execa } from "execa";

/** How long another program that looks at every block device may hold one, in milliseconds. */
const PATIENCE_MS = 10_000;

/**
 * Fails when a loop device goes on to lie over part of this device. A detached one is there for as long as anybody has it
 * open (losetup(8)), and other tests, which list all block devices, do so for a moment.
 */
export async function assertDetached(device: string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const { stdout } = await execa("losetup", ["--associated", device]);
    if (stdout === "") return;
    if (performance.now() > deadline) assert.equal(stdout, "");
    await delay(50);
  }
}
