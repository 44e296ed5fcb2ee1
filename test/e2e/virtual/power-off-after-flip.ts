import type { VirtualBoard } from "../../rack/virtual/virtual-board.ts";
import type { VirtualRack } from "../../rack/virtual/virtual-rack.ts";
import { registration } from "./come-up.ts";
import { holdProgram } from "./hold-program.ts";
import { patience } from "./rack-of-two.ts";

/**
 * Lets a board that is being reimaged come to its last step, the reboot into what was written, and pulls its plug
 * there: its boot target is local already. `lastEvent` is the newest event before the boot into the agent.
 */
export async function powerOffAfterFlip(rack: VirtualRack, board: VirtualBoard, lastEvent: bigint): Promise<void> {
  await registration(rack, board, lastEvent);
  const reboot = await holdProgram(board, "/usr/sbin/reboot", patience.timeoutMs);
  await rack.client.event(
    ({ type, nodeId, message }) =>
      type === "boot-target-changed" && nodeId === board.mac && message.includes(" goes to local "),
    { ...patience, afterId: lastEvent },
  );
  await reboot.called();
  await board.powerOff();
}
