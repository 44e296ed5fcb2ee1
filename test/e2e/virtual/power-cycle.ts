import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { BootTarget, type Node } from "../../../proto/gen/pallet/v1/controller.ts";
import { AgentRole } from "../../../proto/gen/pallet/v1/node.ts";
import type { VirtualBoard } from "../../rack/virtual/virtual-board.ts";
import type { VirtualRack } from "../../rack/virtual/virtual-rack.ts";
import { newestEvent, registration } from "./come-up.ts";
import { patience } from "./rack-of-two.ts";

/** How long the controller stays away when a site's power comes back and the nodes are quicker. */
export const controllerAwayMs = 30_000;

/** What a node runs, and what says so. */
export interface Running {
  readonly imageName: string;
  readonly imageDigest: string;
}

/** The node of a board, as the controller knows it now. */
export async function nodeOf(rack: Pick<VirtualRack, "client">, board: Pick<VirtualBoard, "mac">): Promise<Node> {
  const node = (await rack.client.nodes()).find(({ nodeId }) => nodeId === board.mac);
  assert.ok(node !== undefined, `the controller does not know ${board.mac}`);
  return node;
}

/**
 * Cuts the power of a board that runs from its card and gives it back: it has to come back on its own system without
 * any help, and the controller has to see it as such. With `controller: "away"` the power of the whole site is back
 * half a minute before the controller is. Resolves when the system has nothing left to start.
 */
export async function powerCycle(
  rack: VirtualRack,
  board: VirtualBoard,
  running: Running,
  { controller }: { readonly controller: "there" | "away" },
): Promise<void> {
  const before = await nodeOf(rack, board);
  const lastEvent = await newestEvent(rack);
  await board.powerOff();
  if (controller === "away") await rack.controller.stop();
  const mark = board.console.mark();
  await board.powerOn();
  if (controller === "away") {
    await delay(controllerAwayMs);
    await rack.startController();
  }
  await registration(rack, board, lastEvent);
  await assertRuns(rack, board, running);
  const after = await nodeOf(rack, board);
  assert.notEqual(after.facts?.bootId, before.facts?.bootId, "it is the boot from before the power cycle");
  const said = board.console.text().slice(mark);
  assert.doesNotMatch(said, /Filename 'agent\/|U-Boot: agent\//, "it was in the agent in between");
  await systemIsUp(board, mark, after.facts?.bootId ?? "");
}

/** The controller sees the node on that image, from its own card, through the resident agent. */
export async function assertRuns(rack: VirtualRack, board: VirtualBoard, running: Running): Promise<void> {
  const node = await nodeOf(rack, board);
  assert.deepEqual(
    {
      role: node.agent?.role,
      installed: node.agent?.installed?.imageDigest,
      root: node.facts?.root?.source,
      bootTarget: node.bootTarget,
      provedImageName: node.provedImageName,
    },
    {
      role: AgentRole.AGENT_ROLE_RESIDENT,
      installed: running.imageDigest,
      root: "/dev/mmcblk0p2",
      bootTarget: BootTarget.BOOT_TARGET_LOCAL,
      provedImageName: running.imageName,
    },
  );
}

/** Resolves when that boot of a system image says that it is up, with no unit failed. */
export async function systemIsUp(board: VirtualBoard, mark: number, bootId: string): Promise<void> {
  const [, state, failed] = await board.console.waitFor(
    new RegExp(`pi-like: boot ${bootId} state (\\S+) .* failed: (.*)[\\r\\n]`),
    { from: mark, ...patience },
  );
  assert.equal(`${state}, failed: ${failed?.trim()}`, "running, failed: none");
}

/** What a board's SSH server says first (RFC 4253, section 4.2). */
export async function sshBanner(rack: VirtualRack, board: VirtualBoard): Promise<string> {
  const { facts } = await nodeOf(rack, board);
  const address = facts?.interfaces.flatMap(({ addresses }) => addresses).find((each) => /^\d+(\.\d+){3}$/.test(each));
  assert.ok(address !== undefined, "the node has no IPv4 address");
  return await rack.network.namespace.run("busybox", ["nc", "-w", "20", address, "22"], "\r\n");
}
