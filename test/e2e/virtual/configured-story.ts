import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { VirtualBoard } from "../../rack/virtual/virtual-board.ts";
import type { VirtualRack } from "../../rack/virtual/virtual-rack.ts";
import { registration } from "./come-up.ts";
import { type Inside, lookInside } from "./look-inside.ts";
import type { Operator } from "./operator.ts";
import { nodeOf, systemIsUp } from "./power-cycle.ts";
import { canary } from "./profiles.ts";

/** A board that is to be a node of that name, with these labels. */
export interface NamedBoard {
  readonly board: VirtualBoard;
  readonly name: string;
  readonly labels: readonly string[];
}

/** Powers boards on, and makes them the nodes that they are to be. */
export async function comeUpAs(rack: VirtualRack, named: readonly NamedBoard[]): Promise<void> {
  await Promise.all(
    named.map(async ({ board }) => {
      await board.powerOn();
      await registration(rack, board);
    }),
  );
  for (const { board, name, labels } of named) {
    await rack.palletOk("node", "accept", board.mac);
    await rack.palletOk("node", "rename", board.mac, name);
    await rack.palletOk("node", "label", name, ...labels);
  }
}

/** Looks inside of a node whose first boot, cloud-init with it, is over: nothing undoes any more what was made. */
export async function lookWhenUp(
  rack: VirtualRack,
  operator: Operator,
  { board, name }: NamedBoard,
  mark: number,
): Promise<Inside> {
  await systemIsUp(board, mark, (await nodeOf(rack, board)).facts?.bootId ?? "");
  return await lookInside(operator, name);
}

/** What every node has of its profiles, of itself, and of what its image does at the first boot. */
export function assertConfigured(
  inside: Inside,
  { name, board }: NamedBoard,
  about: { readonly hostname: string; readonly index: number; readonly rack: string },
): void {
  assert.equal(inside.state, "running");
  assert.equal(inside.failed, "");
  assert.equal(inside.hostname, about.hostname);
  assert.match(inside.ownName, new RegExp(`^127\\.0\\.1\\.1 +${about.hostname}$`));
  assert.match(inside.machineId, /^[0-9a-f]{32}$/);
  assert.equal(inside.groups, "ada adm");
  assert.equal(inside.accounts, "pwck: no changes");
  assert.equal(inside.motd, `${name} is number ${about.index} of rack ${about.rack}, at ${board.mac}`);
  assert.equal(inside.passwords, "passwordauthentication no");
  assert.equal(inside.units, "enabled\nenabled\nmasked");
  // One key, and no other that sshd could show.
  assert.match(inside.hostKeys, /^ssh-ed25519 \S+( \S+)?$/);
  assert.ok(inside.ownHostKey.startsWith(inside.hostKeys.split(" ").slice(0, 2).join(" ")));
  assert.deepEqual(JSON.parse(inside.cloudInit).v1.errors, []);
  assert.equal(inside.cloudInitRuns, "done");
  assert.equal(inside.joined.split(" ")[0], createHash("sha256").update(canary).digest("hex"));
  assert.equal(inside.tasks, "600 root");
  assert.equal(inside.secrets, "/tmp/there");
}
