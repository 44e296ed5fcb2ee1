import assert from "node:assert/strict";
import { isWriting, reimageOf, startReimage } from "../../rack/story.ts";
import type { VirtualBoard } from "../../rack/virtual/virtual-board.ts";
import type { VirtualRack } from "../../rack/virtual/virtual-rack.ts";
import { newestEvent, registration } from "./come-up.ts";
import { readRootFile } from "./demo-image-on-card.ts";
import { holdProgram } from "./hold-program.ts";
import { powerOffAfterFlip } from "./power-off-after-flip.ts";
import { patience } from "./rack-of-two.ts";

const MiB = 1024 * 1024;

/**
 * Pulls the plug of a board at five moments of a reimage that has just been started from its running local system, and
 * puts it back each time; nothing else is done for the board. The reimage has to come to its end by itself then. Resolves
 * with the id of its rollout: another card takes another one, because what was confirmed was the card that was there.
 */
export async function pullPlugs(
  rack: VirtualRack,
  board: VirtualBoard,
  first: string,
  imageName: string,
): Promise<string> {
  let mark = board.console.mark();
  let lastEvent = await newestEvent(rack);
  const powerOn = async (): Promise<void> => {
    mark = board.console.mark();
    lastEvent = await newestEvent(rack);
    await board.powerOn();
  };
  /** Pulls the plug when the console shows the sign; again when it was over by the time that the plug was out. */
  const pullAt = async (sign: RegExp, over: RegExp): Promise<void> => {
    for (let pulls = 1; ; pulls++) {
      await board.console.waitFor(sign, { from: mark, ...patience });
      await board.powerOff();
      if (!over.test(board.console.text().slice(mark))) return;
      assert.ok(pulls < 5, `the plug was never out before ${over}`);
      await powerOn();
    }
  };
  const hasTable = () => board.card.hasPartitionTable();

  await pullAt(/Filename 'agent\/\S*vmlinuz'[\s\S]*?#{60}/, /Filename 'agent\/\S*vmlinuz'[\s\S]*?Bytes transferred/);
  assert.equal(await hasTable(), true, "during TFTP the card is as it was");
  // A blank card, so that there is enough to write for the third moment however much the write path finds equal.
  await rack.palletOk("cancel", first);
  await board.replaceCard();
  const rolloutId = await startReimage(rack, board.mac, "--image", imageName);

  await powerOn();
  await pullAt(/pallet-init: \S+ address /, /pallet-init: \S+ \S+: root is /);

  await powerOn();
  const cutShort = reimageOf(await rack.client.rollout(rolloutId, isWriting(board, 32 * MiB), patience), board);
  await board.powerOff();
  assert.equal(await hasTable(), false, "in the middle of the write");

  await powerOn();
  await registration(rack, board, lastEvent);
  // The agent's last step before the partition table: the image is verified and everything is placed into it then. Twice
  // before it flushes what has grown: the root filesystem, and the disk.
  const flush = await holdProgram(board, "/usr/sbin/blockdev", patience.timeoutMs, 3);
  await flush.called();
  await board.powerOff();
  assert.equal(await hasTable(), false, "between the last data and the partition table");
  const stamp = await readRootFile(board.card.file, "/etc/pallet/installed.json");
  assert.match(stamp, new RegExp(cutShort.reimageId));
  const second = reimageOf(await rack.client.rollout(rolloutId, () => true, patience), board);
  assert.equal(second.attempts, 2);
  const { total = 0n, done = 0n } = cutShort.progress?.written ?? {};
  const rest = second.progress?.written?.done ?? total;
  // Not byte for byte: everything before the first partition is written again, a part of the image of which no sample
  // was on the card is not compared, and the last write may have been counted and lost.
  assert.ok(
    rest <= total - done / 2n,
    `${done} of ${total} bytes had been written, and ${rest} were after the plug was back`,
  );

  await powerOn();
  await powerOffAfterFlip(rack, board, lastEvent);
  assert.equal(await hasTable(), true, "after the flip");
  await powerOn();
  return rolloutId;
}

/** How many writes that takes: one is cut short, one lost before its table, and one is complete. */
export const writesWithPulledPlugs = 3;
