import assert from "node:assert/strict";
import type { VirtualBoard } from "../../rack/virtual/virtual-board.ts";
import type { VirtualRack } from "../../rack/virtual/virtual-rack.ts";
import { newestEvent } from "./come-up.ts";
import { powerOffAfterFlip } from "./power-off-after-flip.ts";

/**
 * Lets a board that runs from its card come to the last step of a reimage that has just been started, its own reboot,
 * and switches on, in its place, the Pi 3 that has its MAC and its card.
 *
 * The controller knows a node by its MAC, so for it the node comes up from the card that it has written. That another
 * kind of board does so is what is tried here: the write is the same on every board, and would take the Pi 3's emulated
 * network adapter a quarter of an hour; what is a Pi's own is the way from the card up.
 */
export async function takeCardToPi3(rack: VirtualRack, board: VirtualBoard, pi3: VirtualBoard): Promise<void> {
  const lastEvent = await newestEvent(rack);
  assert.deepEqual([pi3.mac, pi3.card], [board.mac, board.card]);
  await powerOffAfterFlip(rack, board, lastEvent);
  await pi3.powerOn();
}
