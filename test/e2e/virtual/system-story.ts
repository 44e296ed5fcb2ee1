import assert from "node:assert/strict";
import type { Rollout } from "../../../proto/gen/pallet/v1/rollout.ts";
import { RolloutState } from "../../../proto/gen/pallet/v1/rollout.ts";
import { end, reimageOf, startReimage } from "../../rack/story.ts";
import type { VirtualBoard } from "../../rack/virtual/virtual-board.ts";
import { registration } from "./come-up.ts";
import { assertRuns, sshBanner, systemIsUp } from "./power-cycle.ts";
import { patience } from "./rack-of-two.ts";
import { readSystemOnCard, type SystemOnCard } from "./system-on-card.ts";
import type { SystemRack } from "./system-rack.ts";

/** What an installed system keeps over every later boot. */
export type Installed = Pick<SystemOnCard, "hostKey" | "rootPartitionUuid" | "firstBoots" | "cloudInitRuns" | "fstab">;

/** Takes a board from power-on to the end of a reimage; `mark` is of its console, before the power came. */
export async function reimageToEnd(
  rack: SystemRack,
  board: VirtualBoard,
): Promise<{ readonly mark: number; readonly rollout: Rollout }> {
  const mark = board.console.mark();
  await board.powerOn();
  await registration(rack, board);
  await rack.palletOk("node", "accept", board.mac);
  const rolloutId = await startReimage(rack, board.mac, "--image", rack.running.imageName);
  return { mark, rollout: await end(rack, rolloutId, 2 * patience.timeoutMs) };
}

/**
 * The rollout has proved the board, whose system has done its first boot exactly once: another disk id, known to its own
 * files, its root grown to the end of the card, host keys, cloud-init; and nothing of it failed.
 */
export async function assertProved(
  rack: SystemRack,
  board: VirtualBoard,
  rollout: Rollout,
  mark: number,
): Promise<Installed> {
  const { failure, proof, attempts } = reimageOf(rollout, board);
  assert.equal(failure?.message, undefined);
  assert.equal(rollout.state, RolloutState.ROLLOUT_STATE_SUCCEEDED);
  assert.equal(attempts, 1);
  assert.equal(proof?.imageDigest, rack.running.imageDigest);
  await assertRuns(rack, board, rack.running);
  await systemIsUp(board, mark, proof?.bootId ?? "");
  assert.match(await sshBanner(rack, board), /^SSH-2\.0-OpenSSH/);

  const card = await readSystemOnCard(board, rack.folder);
  assert.equal(card.firstBoots.length, 1, card.firstBoots.join("\n"));
  assert.equal(card.cloudInitRuns, 1);
  assert.match(card.hostKey, /^ssh-ed25519 /);
  assert.notEqual(card.rootPartitionUuid, rack.image.rootPartitionUuid);
  assert.match(card.firstBoots[0] ?? "", new RegExp(`became ${card.rootPartitionUuid}`));
  assert.match(card.fstab, new RegExp(`^PARTUUID=${card.rootPartitionUuid} / `, "m"));
  assert.match(card.commandLine, new RegExp(` root=PARTUUID=${card.rootPartitionUuid} `));
  assert.doesNotMatch(card.commandLine, /\bresize\b/);
  const end = board.card.sizeBytes;
  // A GPT keeps 33 sectors at the end, and partitions may end at a whole MiB.
  assert.ok(end - card.partitionEndBytes <= 2 * 1024 * 1024, `the root ends at ${card.partitionEndBytes} of ${end}`);
  assert.ok(card.partitionBytes - card.filesystemBytes < 4096, "the filesystem is smaller than its partition");
  return card;
}

/** What the first boot has made is there still, and was not made again. */
export async function assertInstalled(rack: SystemRack, board: VirtualBoard, installed: Installed): Promise<void> {
  const kept = ({ hostKey, rootPartitionUuid, firstBoots, cloudInitRuns, fstab }: Installed): Installed => ({
    ...{ hostKey, rootPartitionUuid, firstBoots, cloudInitRuns, fstab },
  });
  assert.deepEqual(kept(await readSystemOnCard(board, rack.folder)), kept(installed));
  assert.match(await sshBanner(rack, board), /^SSH-2\.0-OpenSSH/);
}
