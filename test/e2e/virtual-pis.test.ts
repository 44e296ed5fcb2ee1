// The real boot chain: U-Boot, DHCP, TFTP, an NFS root, the agent's binary and a real /dev/mmcblk0, on virtual Pis.
import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { after, before, describe, it, type TestContext } from "node:test";
import { execa } from "execa";
import { checkoutCache } from "../../controller/artefacts/checkout-cache.ts";
import { BootTarget } from "../../proto/gen/pallet/v1/controller.ts";
import { AgentRole } from "../../proto/gen/pallet/v1/node.ts";
import { type Rollout, RolloutState } from "../../proto/gen/pallet/v1/rollout.ts";
import { buildDemoImage, type DemoImage } from "../../scripts/demo-image/build-demo-image.ts";
import { end, isFetching, reimageOf, startReimage, tell } from "../rack/story.ts";
import type { VirtualBoard } from "../rack/virtual/virtual-board.ts";
import type { VirtualRack } from "../rack/virtual/virtual-rack.ts";
import { assertWithstandsStranger } from "../rack/withstand-stranger.ts";
import { requires } from "../requirements.ts";
import { assertComeUp, newestEvent, registration } from "./virtual/come-up.ts";
import { assertHoldsDemoImage } from "./virtual/demo-image-on-card.ts";
import { killAgentAndTime } from "./virtual/kill-agent.ts";
import { assertFindsStick } from "./virtual/plug-stick.ts";
import { pullPlugs, writesWithPulledPlugs } from "./virtual/pull-plugs.ts";
import { createRackOfTwo, patience } from "./virtual/rack-of-two.ts";

const MiB = 1024 * 1024;

// One story from test to test: every boot of an emulated machine takes long enough to prove several things with it.
describe("two virtual Pis", requires("root", "qemu"), () => {
  let rack: VirtualRack;
  let first: VirtualBoard;
  let second: VirtualBoard;
  let images: Record<"debian" | "two", DemoImage>;
  const onRack = (title: string, body: (context: TestContext) => Promise<void>) =>
    it(title, { timeout: 2_400_000 }, (context) => tell(rack, () => body(context)));

  before(async () => {
    const demoImage = (version: string) =>
      buildDemoImage({ cacheDirectory: checkoutCache("demo-image"), name: "debian-demo", version });
    images = { debian: await demoImage("1"), two: await demoImage("2") };
    ({ rack, first, second } = await createRackOfTwo());
    const file = path.join(rack.machine.workingDirectory, "image.img.xz");
    // As people get them, but compressed no longer than it takes.
    await execa("xz", ["--stdout", "--threads=0", "-0", images.debian.imagePath], { stdout: { file }, buffer: false });
    await rack.palletOk("images", "add", images.two.imagePath, "--name", "two");
  });
  after(() => rack?.close());

  const ended = (rolloutId: string) => end(rack, rolloutId, patience.timeoutMs);

  /**
   * The rollout has ended with the board on the image, as the agent in the running system says and as the card shows.
   */
  const assertProved = async (rollout: Rollout, board: VirtualBoard, name: "debian" | "two"): Promise<void> => {
    const { failure, proof } = reimageOf(rollout, board);
    assert.equal(failure?.message, undefined);
    assert.equal(proof?.imageDigest, images[name].digest);
    assert.equal(proof?.rootDevice, "/dev/mmcblk0p2");
    assert.notEqual(proof?.bootId, proof?.previousBootId);

    const node = (await rack.client.nodes()).find(({ nodeId }) => nodeId === board.mac);
    assert.equal(node?.agent?.role, AgentRole.AGENT_ROLE_RESIDENT);
    assert.equal(node?.agent?.installed?.imageDigest, images[name].digest);
    assert.equal(node?.facts?.bootId, proof?.bootId);
    assert.equal(node?.facts?.root?.source, "/dev/mmcblk0p2");
    assert.equal(node?.bootTarget, BootTarget.BOOT_TARGET_LOCAL);
    assert.equal(node?.provedImageName, name);

    const snapshot = path.join(rack.folder, `card-of-${board.mac.replaceAll(":", "")}-with-${name}.img`);
    try {
      await board.snapshotCard(snapshot);
      await assertHoldsDemoImage(snapshot, images[name], rack.folder);
    } finally {
      await rm(snapshot, { force: true });
    }
  };

  onRack("come from power-on to the registered agent on a root that they share, their cards untouched", () =>
    assertComeUp(rack),
  );

  onRack("withstand a stranger on their network who knows what can be known there", async () => {
    const port = rack.network.plug(99, "02:00:00:00:00:99");
    const stranger = await port.powerOn();
    try {
      await assertWithstandsStranger(rack, second, { port, stranger, device: "/dev/mmcblk0", image: "two" });
      assert.equal(await second.card.hasPartitionTable(), false);
    } finally {
      await port.powerOff();
    }
  });

  onRack("load the driver of what is plugged in while they run", () => assertFindsStick(rack, first));

  onRack("answer buf curl as documented, which knows the controller by its reflection only", async () => {
    const said = await rack.machine.runDocumented("curl");
    assert.match(said, new RegExp(`"${first.mac}"`));
    assert.match(said, /SERVING/);
  });

  onRack("have an agent that is started again within 5 s when it is killed, and serves again", async (context) => {
    const lastEvent = await newestEvent(rack);
    const { backAfterMs, servesAfterMs } = await killAgentAndTime(second);
    context.diagnostic(`back after ${backAfterMs} ms, serves after ${servesAfterMs} ms`);
    assert.ok(backAfterMs < 5000, `no new agent until ${backAfterMs} ms after the old one was killed`);
    await registration(rack, second, lastEvent);
  });

  onRack(
    "are reimaged as documented while the controller is killed, go on when it is back, and are proved on their cards",
    async () => {
      const lastEvent = await newestEvent(rack);
      // Otherwise the first of the two may have fetched all of it while the second is still waiting for its turn.
      await first.limitNetwork(2 * MiB);
      const programs = path.join(rack.machine.workingDirectory, "dist");
      const commands = rack.machine.runDocumented("first rollout", {
        variables: { PATH: `${programs}:${process.env["PATH"]}` },
      });
      const [rollout] = await Promise.all([
        (async () => {
          const started = await rack.client.event(({ type }) => type === "rollout-started", {
            ...patience,
            afterId: lastEvent,
          });
          await rack.client.rollout(started.rolloutId, isFetching(first), patience);
          await rack.controller.kill();
          await first.limitNetwork(undefined);
          await rack.machine.configure({ bootProfile: { menu: true, menuTimeoutMs: 2000 } });
          await rack.startController();
          return await ended(started.rolloutId);
        })(),
        commands,
      ]);
      assert.equal(rollout.state, RolloutState.ROLLOUT_STATE_SUCCEEDED);
      await Promise.all(rack.virtualBoards.map((board) => assertProved(rollout, board, "debian")));
      for (const board of rack.virtualBoards) assert.equal(reimageOf(rollout, board).attempts, 1);
      assert.ok(
        (reimageOf(rollout, first).progress?.resumed ?? 0) >= 1,
        "it was not fetching when the controller died",
      );
    },
  );

  onRack("load the driver of what is plugged in also in the installed system", () => assertFindsStick(rack, first));

  describe("of which", { concurrency: true }, () => {
    onRack("one is taken to a second image, of which it gets only what differs", async () => {
      const mark = first.console.mark();
      const rollout = await ended(await startReimage(rack, first.mac, "--image", "two"));
      await assertProved(rollout, first, "two");
      const { total = 0n, done = 0n } = reimageOf(rollout, first).progress?.written ?? {};
      assert.ok(done < 64n * BigInt(MiB), `${done} of ${total} bytes were written, for images that hardly differ`);
      const said = first.console.text().slice(mark);
      const fetched = said.matchAll(/Filename '(images\/\S+)'/g);
      const digests = new Set([...fetched].map(([, file]) => file?.split("/")[1]));
      assert.deepEqual([...digests], [images.two.digest]);
      // Nobody is at the console, so U-Boot's menu takes the target of the node when its time is up.
      assert.match(said, /Pallet\n1:\s+local[^\n]*\n2:\s+agent/);
    });

    onRack("the other loses its power at five moments, comes back by itself each time, and is proved", async () => {
      const started = await startReimage(rack, second.mac, "--image", "two");
      const rollout = await ended(await pullPlugs(rack, second, started, "two"));
      await assertProved(rollout, second, "two");
      assert.equal(reimageOf(rollout, second).attempts, writesWithPulledPlugs);
    });
  });
});
