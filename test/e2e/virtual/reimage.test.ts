// The real boot chain: U-Boot, DHCP, TFTP, an NFS root, the agent's binary and a real /dev/mmcblk0, on virtual Pis.
import assert from "node:assert/strict";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { BootTarget } from "../../../proto/gen/pallet/v1/controller.ts";
import { AgentRole } from "../../../proto/gen/pallet/v1/node.ts";
import { OperationPhase } from "../../../proto/gen/pallet/v1/operation.ts";
import { type Rollout, RolloutState } from "../../../proto/gen/pallet/v1/rollout.ts";
import { buildDemoImage, type DemoImage } from "../../../scripts/demo-image/build-demo-image.ts";
import { checkout } from "../../rack/checkout.ts";
import { end, isWriting, reimageOf, startReimage, tell } from "../../rack/story.ts";
import type { VirtualBoard } from "../../rack/virtual/virtual-board.ts";
import type { VirtualRack } from "../../rack/virtual/virtual-rack.ts";
import { requires } from "../../requirements.ts";
import { assertHoldsDemoImage } from "../demo-image-on-card.ts";
import { assertComeUp, createRackOfTwo, patience } from "./two-virtual-pis.ts";

const MiB = 1024 * 1024;

describe("two virtual Pis", requires("root", "qemu"), () => {
  let rack: VirtualRack;
  let first: VirtualBoard;
  let second: VirtualBoard;
  let images: Record<"one" | "two", DemoImage>;
  let rolloutId: string;
  const onRack = (title: string, body: () => Promise<void>) => it(title, { timeout: 600_000 }, () => tell(rack, body));

  before(async () => {
    const demoImage = (version: string) =>
      buildDemoImage({ cacheDirectory: path.join(checkout, ".cache/demo-image"), name: "debian-demo", version });
    images = { one: await demoImage("1"), two: await demoImage("2") };
    ({ rack, first, second } = await createRackOfTwo());
    for (const name of ["one", "two"] as const) {
      await rack.palletOk("images", "add", images[name].imagePath, "--name", name);
    }
  });
  after(() => rack?.close());

  const assertProved = async (rollout: Rollout, board: VirtualBoard, name: "one" | "two"): Promise<void> => {
    const { failure, proof } = reimageOf(rollout, board);
    assert.equal(failure?.message, undefined);
    assert.equal(proof?.imageDigest, images[name].digest);
    assert.equal(proof?.rootDevice, "/dev/mmcblk0p2");
    assert.notEqual(proof?.bootId, proof?.previousBootId);
    const node = (await rack.client.nodes()).find(({ nodeId }) => nodeId === board.mac);
    assert.equal(node?.agent?.role, AgentRole.AGENT_ROLE_RESIDENT);
    assert.equal(node?.bootTarget, BootTarget.BOOT_TARGET_LOCAL);
    assert.equal(node?.provedImageName, name);
    assert.match(
      board.console.text(),
      new RegExp(`version ${images[name].prettyName.split(" ")[4]}, .*root /dev/mmcblk0p2`),
    );
  };

  onRack("come from power-on to the registered agent on a root that they share, their cards untouched", () =>
    assertComeUp(rack),
  );

  onRack("are written to while the controller is killed, and started again", async () => {
    await rack.palletOk("node", "accept", "--all");
    rolloutId = await startReimage(rack, "--all", "--image", "one");
    await rack.client.rollout(rolloutId, isWriting(first, 64 * MiB), patience);
    await rack.controller.kill();
    await rack.startController();
  });

  onRack("run the image from their own cards, and have proved it", async () => {
    const rollout = await end(rack, rolloutId, 420_000);
    for (const board of rack.virtualBoards) {
      await assertProved(rollout, board, "one");
      assert.equal(reimageOf(rollout, board).attempts, 1);
      await assertHoldsDemoImage(board.card, images.one, rack.folder);
    }
  });

  describe("of which", { concurrency: true }, () => {
    onRack("one is taken to a second image and back, with the right kernel each time", async () => {
      for (const name of ["two", "one"] as const) {
        const mark = first.console.mark();
        const id = await startReimage(rack, first.mac, "--image", name);
        const rollout = await end(rack, id, 420_000);
        await assertProved(rollout, first, name);
        const fetched = first.console
          .text()
          .slice(mark)
          .matchAll(/Filename '(images\/\S+)'/g);
        const digests = new Set([...fetched].map(([, file]) => file?.split("/")[1]));
        assert.deepEqual([...digests], [images[name].digest]);
      }
      await assertHoldsDemoImage(first.card, images.one, rack.folder);
    });

    onRack("the other loses its power at five moments and is proved all the same", async () => {
      const pullPlug = async (): Promise<number> => {
        await second.powerOff();
        const mark = second.console.mark();
        await second.powerOn();
        return mark;
      };
      const id = await startReimage(rack, second.mac, "--image", "two");

      await rack.client.rollout(id, isWriting(second, 32 * MiB), patience);
      let mark = await pullPlug();
      assert.equal(await second.card.hasPartitionTable(), false, "in the middle of the write");

      await second.console.waitFor(/Filename 'agent\/vmlinuz'[\s\S]*#{60}/, { from: mark, ...patience });
      mark = await pullPlug();

      await second.console.waitFor(/pallet-init: \S+ address /, { from: mark, ...patience });
      mark = await pullPlug();

      const customising = (rollout: Rollout) =>
        reimageOf(rollout, second).progress?.phase === OperationPhase.OPERATION_PHASE_CUSTOMISING;
      await rack.client.rollout(id, customising, { timeoutMs: 420_000 });
      mark = await pullPlug();
      assert.equal(await second.card.hasPartitionTable(), false, "between the last data and the partition table");

      const afterId = (await rack.client.events()).at(-1)?.id ?? 0n;
      await rack.client.event(
        ({ type, nodeId, message }) =>
          type === "boot-target-changed" && nodeId === second.mac && message.includes(" goes to local "),
        { timeoutMs: 420_000, afterId },
      );
      const boots = second.console
        .text()
        .slice(mark)
        .match(/^U-Boot \d/gm);
      assert.equal(boots?.length, 1, "it has rebooted already");
      await pullPlug();
      assert.equal(await second.card.hasPartitionTable(), true);

      const rollout = await end(rack, id, 240_000);
      assert.equal(rollout.state, RolloutState.ROLLOUT_STATE_SUCCEEDED, reimageOf(rollout, second).failure?.message);
      await assertProved(rollout, second, "two");
      await assertHoldsDemoImage(second.card, images.two, rack.folder);
    });
  });
});
