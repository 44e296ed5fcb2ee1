import assert from "node:assert/strict";
import { provideVirtualArtefacts } from "../../rack/virtual/artefacts.ts";
import type { VirtualBoard } from "../../rack/virtual/virtual-board.ts";
import { createVirtualRack, type VirtualRack } from "../../rack/virtual/virtual-rack.ts";

/**
 * Emulated, two at once, on two cores that may have other things to do: ten times what an idle machine needs. CI's has needed
 * four times that.
 */
export const patience = { timeoutMs: 1_800_000 };

/** A rack with two virtual Pis that are off. The caller closes it. */
export async function createRackOfTwo(): Promise<{ rack: VirtualRack; first: VirtualBoard; second: VirtualBoard }> {
  const rack = await createVirtualRack({ nodes: 2, artefacts: await provideVirtualArtefacts(), withShell: true });
  const [first, second] = rack.virtualBoards;
  assert.ok(first !== undefined && second !== undefined);
  return { rack, first, second };
}
