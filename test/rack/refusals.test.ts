// What cannot succeed is refused before it does harm, with a reason for programs and a remedy for people.
import assert from "node:assert/strict";
import { open, readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { BootTarget, RolloutRequest } from "../../proto/gen/pallet/v1/controller.ts";
import { FailureReason } from "../../proto/gen/pallet/v1/failure.ts";
import { ask } from "../../proto/grpc/call.ts";
import { requires } from "../requirements.ts";
import { makeTinyImage, type TinyImage } from "../tiny-image.ts";
import { assertHoldsImage } from "./card-content.ts";
import { createRack, type Rack } from "./rack.ts";
import { end, reimageOf, startReimage, tell } from "./story.ts";

const MiB = 1024 * 1024;
const [small, inUse, blank] = [1, 2, 3];

describe("a reimage is refused", requires("root", "loop devices"), () => {
  let rack: Rack;
  let image: TinyImage;
  const onRack = (title: string, body: () => Promise<void>) => it(title, { timeout: 360_000 }, () => tell(rack, body));

  before(async () => {
    rack = await createRack({ nodes: 3, cardBytes: [16 * MiB, 64 * MiB, 64 * MiB] });
    image = await makeTinyImage({ folder: rack.folder, name: "image", bulkBytes: 2 * MiB });
    await rack.palletOk("images", "add", image.path, "--name", "image");
    await rack.board(inUse).card.write(0, await readFile(image.path));
    await rack.powerOnAll();
  });
  after(() => rack.close());

  onRack("for a card that is smaller than the image", async () => {
    const board = rack.board(small);
    const plan = await rack.pallet("reimage", board.mac, "--dry-run", "--json");
    assert.equal(plan.exitCode, 1);
    assert.equal(JSON.parse(plan.stdout).plans[0].refusal.reason, "too-small");
    const refused = await rack.pallet("reimage", board.mac, "--yes");
    assert.equal(refused.exitCode, 1);
    assert.match(refused.stdout, /16(\.0)? MiB/);
    assert.equal(await board.card.hasPartitionTable(), false);
  });

  onRack("for a card that is mounted, until it is unmounted", async () => {
    const board = rack.board(inUse);
    await board.run("mount", [`${board.card.device}p2`, "/mnt"]);
    const plan = await rack.pallet("reimage", board.mac, "--dry-run", "--json");
    assert.equal(plan.exitCode, 1);
    const { refusal } = JSON.parse(plan.stdout).plans[0];
    assert.equal(refusal.reason, "mounted");
    assert.match(refusal.message, /\/mnt/);
    assert.equal((await rack.pallet("reimage", board.mac, "--yes")).exitCode, 1);
    await assertHoldsImage(board.card, image);

    await rack.palletOk("unmount", board.mac, board.card.device, "--yes");
    await rack.palletOk("reimage", board.mac, "--yes");
    await assertHoldsImage(board.card, image);
  });

  onRack(
    "for a card that a label protects, as is every other way to erase it, until it has another label",
    async () => {
      const board = rack.board(blank);
      const { device } = board.card;
      await rack.palletOk("mkfs", board.mac, device, "--type", "vfat", "--label", "pallet-keep", "--yes");
      const plan = await rack.pallet("reimage", board.mac, "--dry-run", "--json");
      assert.equal(plan.exitCode, 1);
      const { refusal } = JSON.parse(plan.stdout).plans[0];
      assert.equal(refusal.reason, "protected");
      for (const command of [
        ["reimage", board.mac, "--disk", device, "--yes"],
        ["wipe", board.mac, device, "--yes"],
        ["mkfs", board.mac, device, "--type", "ext4", "--yes"],
      ]) {
        const refused = await rack.pallet(...command);
        assert.equal(refused.exitCode, 1, command.join(" "));
        assert.match(refused.stdout + refused.stderr, /is protected.*"(pallet-keep|PALLET-KEEP)"/s);
      }
      // Programs need not ask for the plan.
      const rollout = RolloutRequest.fromPartial({ nodes: [board.mac], imageName: "image", disk: device });
      const { service } = rack.client;
      await ask(service, service.startRollout, { rolloutId: "protected", rollout }, { timeoutMs: 60_000 });
      const failed = await end(rack, "protected");
      assert.equal(reimageOf(failed, board).failure?.reason, FailureReason.FAILURE_REASON_PROTECTED);
      const label = await board.run("blkid", ["--probe", "--output", "value", "--match-tag", "LABEL", device]);
      assert.match(label, /pallet-keep/i);

      await board.run("fatlabel", [device, "FREE"]);
      await rack.palletOk("wipe", board.mac, device, "--yes");
    },
  );

  onRack("for an image in which no resident agent can be started, before the card is erased", async () => {
    const board = rack.board(inUse);
    const other = await makeTinyImage({ folder: rack.folder, name: "no-init", startsAgents: false });
    await rack.palletOk("images", "add", other.path, "--name", "no-init");
    const plan = await rack.pallet("reimage", board.mac, "--image", "no-init", "--dry-run", "--json");
    assert.equal(plan.exitCode, 1);
    const { refusal } = JSON.parse(plan.stdout).plans[0];
    assert.equal(refusal.reason, "unsupported");
    assert.match(refusal.message, /no init system.*--no-resident/);
    await rack.palletOk("reimage", board.mac, "--image", "no-init", "--no-resident", "--dry-run");

    // Programs need not ask for the plan.
    const rollout = RolloutRequest.fromPartial({ nodes: [board.mac], imageName: "no-init" });
    const { service } = rack.client;
    await ask(service, service.startRollout, { rolloutId: "no-init", rollout }, { timeoutMs: 60_000 });
    const failed = await end(rack, "no-init");
    assert.match(reimageOf(failed, board).failure?.message ?? "", /no init system/);
    await assertHoldsImage(board.card, image);
    await rack.palletOk("images", "remove", "no-init");
  });

  onRack("for an image that is damaged in the store, and leaves no partition table", async () => {
    const board = rack.board(blank);
    await damageStoredImage(path.join(rack.stateDirectory, "images"));
    const rollout = await end(rack, await startReimage(rack, board.mac));
    const { failure } = reimageOf(rollout, board);
    assert.equal(failure?.reason, FailureReason.FAILURE_REASON_IMAGE_DAMAGED, failure?.message);
    assert.equal(await board.card.hasPartitionTable(), false);
    const node = (await rack.client.nodes()).find(({ nodeId }) => nodeId === board.mac);
    assert.equal(node?.bootTarget, BootTarget.BOOT_TARGET_AGENT);
    assert.equal(node?.online, true);
  });
});

/** Flips a bit in the middle of the one stored image. */
async function damageStoredImage(directory: string): Promise<void> {
  const names = await readdir(directory, { recursive: true });
  const stored = names.filter((name) => name.endsWith(".zst"));
  assert.equal(stored.length, 1, `the image directory holds ${names.join(", ")}`);
  const file = await open(path.join(directory, stored[0] ?? ""), "r+");
  try {
    const middle = Math.floor((await file.stat()).size / 2);
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, middle);
    byte[0] = (byte[0] ?? 0) ^ 1;
    await file.write(byte, 0, 1, middle);
  } finally {
    await file.close();
  }
}
