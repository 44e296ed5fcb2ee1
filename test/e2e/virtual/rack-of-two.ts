import assert from "node:assert/strict";
import { provideVirtualArtefacts } from "../../rack/virtual/artefacts.ts";
import { createPi3Board } from "../../rack/virtual/pi3-board.ts";
import { createVirtualBoard, type VirtualBoard } from "../../rack/virtual/virtual-board.ts";
import { createVirtualRack, type VirtualRack } from "../../rack/virtual/virtual-rack.ts";

const MiB = 1024 * 1024;

/** Emulated, two at once, on two cores that may have other things to do: several times what an idle machine needs. */
export const patience = { timeoutMs: 600_000 };

/** A rack with two virtual Pis that are off, and a Pi 3 that has MAC and card of the first. The caller closes it. */
export async function createRackOfTwo(): Promise<{
  rack: VirtualRack;
  first: VirtualBoard;
  second: VirtualBoard;
  pi3: VirtualBoard;
}> {
  const artefacts = await provideVirtualArtefacts();
  const made: VirtualBoard[] = [];
  const rack = await createVirtualRack({
    nodes: 3,
    artefacts,
    withShell: true,
    async makeBoard(network, number, folder) {
      const [first] = made;
      const board =
        number === 3 && first !== undefined
          ? await createPi3Board(network, number, folder, { mac: first.mac, card: first.card })
          : await createVirtualBoard(network, number, folder, { uBoot: artefacts.uBoot, cardBytes: 512 * MiB });
      made.push(board);
      return board;
    },
  });
  const [first, second, pi3] = made;
  assert.ok(first !== undefined && second !== undefined && pi3 !== undefined);
  return { rack: { ...rack, virtualBoards: [first, second] }, first, second, pi3 };
}
