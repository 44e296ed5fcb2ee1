import assert from "node:assert/strict";
import type { Board } from "../../rack/board.ts";
import type { Rack } from "../../rack/rack.ts";
import type { VirtualRack } from "../../rack/virtual/virtual-rack.ts";
import { patience } from "./rack-of-two.ts";

/** Powers every board on and holds it to a registered agent, an untouched card, and writes that only it sees. */
export async function assertComeUp(rack: VirtualRack): Promise<void> {
  await Promise.all(
    rack.virtualBoards.map(async (board) => {
      await board.powerOn();
      await registration(rack, board);
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

/** The id of the newest event, to wait for what comes after it. */
export async function newestEvent(rack: Pick<Rack, "client">): Promise<bigint> {
  return (await rack.client.events()).at(-1)?.id ?? 0n;
}

/** Resolves when an agent of the board that was not known before has registered, after the event with that id. */
export async function registration(rack: Pick<Rack, "client">, board: Pick<Board, "mac">, afterId = 0n): Promise<void> {
  await rack.client.event(({ type, nodeId }) => type === "node-registered" && nodeId === board.mac, {
    ...patience,
    afterId,
  });
}
