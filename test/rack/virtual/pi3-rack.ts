import { createPi3Board } from "./pi3-board.ts";
import type { VirtualBoard } from "./virtual-board.ts";
import { createVirtualRack, type VirtualRack, type VirtualRackOptions } from "./virtual-rack.ts";

const MiB = 1024 * 1024;

/** A rack of one emulated Pi 3. */
export type Pi3Rack = VirtualRack & { readonly pi3: VirtualBoard };

/** Builds a rack of one emulated Pi 3, its card blank, and starts the controller; the board is off. */
export async function createPi3Rack(
  options: Pick<VirtualRackOptions, "artefacts" | "settings" | "withShell" | "prepare">,
): Promise<Pi3Rack> {
  const rack = await createVirtualRack({
    ...options,
    nodes: 1,
    makeBoard: (network, number, folder) => createPi3Board(network, number, folder, { card: 512 * MiB }),
  });
  const [pi3] = rack.virtualBoards;
  if (pi3 === undefined) throw new Error("the rack has made no board");
  return { ...rack, pi3 };
}
