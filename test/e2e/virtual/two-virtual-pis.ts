import assert from "node:assert/strict";
import { provideVirtualArtefacts } from "../../rack/virtual/artefacts.ts";
import type { VirtualBoard } from "../../rack/virtual/virtual-board.ts";
import { createVirtualRack, type VirtualRack } from "../../rack/virtual/virtual-rack.ts";

/** Emulated, and two at once on two cores that do other things as well. */
export const patience = { timeoutMs: 240_000 };

/** A rack with two virtual Pis that are off. The caller closes it. */
export async function createRackOfTwo(): Promise<{ rack: VirtualRack; first: VirtualBoard; second: VirtualBoard }> {
  const artefacts = await provideVirtualArtefacts({ withShell: true });
  const rack = await createVirtualRack({
    nodes: 2,
    artefacts,
    settings: { reimage: { bootTimeoutMs: 240_000, proveTimeoutMs: 240_000 } },
  });
  const [first, second] = rack.virtualBoards;
  assert.ok(first !== undefined && second !== undefined);
  return { rack, first, second };
}

/** Powers every board on and holds it to a registered agent, an untouched card, and writes that only it sees. */
export async function assertComeUp(rack: VirtualRack): Promise<void> {
  await Promise.all(
    rack.virtualBoards.map(async (board) => {
      await board.powerOn();
      await rack.client.event(({ type, nodeId }) => type === "node-registered" && nodeId === board.mac, patience);
      assert.equal(await board.card.hasPartitionTable(), false);
      assert.match(await board.run("cat", ["/proc/mounts"]), /^overlay \/ overlay /m);
      await board.run("sh", ["-c", `echo ${board.mac} >/etc/of-this-node`]);
    }),
  );
  for (const board of rack.virtualBoards) {
    assert.equal((await board.run("cat", ["/etc/of-this-node"])).trim(), board.mac);
  }
  const machineIds = await Promise.all(rack.virtualBoards.map((board) => board.run("cat", ["/etc/machine-id"])));
  assert.notEqual(machineIds[0], machineIds[1]);
}
