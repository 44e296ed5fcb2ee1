// A netbooted node under default settings whose server goes away for minutes, and whose agent hangs: with the real
// waits.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { checkoutCache } from "../../controller/artefacts/checkout-cache.ts";
import { RolloutState } from "../../proto/gen/pallet/v1/rollout.ts";
import { buildDemoImage } from "../../scripts/demo-image/build-demo-image.ts";
import { newestEvent, registration } from "../e2e/virtual/come-up.ts";
import { patience } from "../e2e/virtual/rack-of-two.ts";
import { refuseTcp } from "../e2e/virtual/refuse-tcp.ts";
import { end, isWriting, reimageOf, startReimage, tell } from "../rack/story.ts";
import { provideVirtualArtefacts } from "../rack/virtual/artefacts.ts";
import type { VirtualBoard } from "../rack/virtual/virtual-board.ts";
import { createVirtualRack, type VirtualRack } from "../rack/virtual/virtual-rack.ts";
import { requires } from "../requirements.ts";

const MiB = 1024 * 1024;

describe("a virtual Pi with default settings", requires("root", "qemu"), () => {
  let rack: VirtualRack;
  let board: VirtualBoard;
  const onRack = (title: string, body: () => Promise<void>) =>
    it(title, { timeout: 1_800_000 }, () => tell(rack, body));
  /** So that one of the tests can be run alone. */
  const comeUp = async () => {
    if (board.isOn()) return;
    await board.powerOn();
    await registration(rack, board);
  };
  const starts = (mark: number) =>
    board.console
      .text()
      .slice(mark)
      .match(/\nU-Boot \d/g)?.length ?? 0;

  before(async () => {
    const image = await buildDemoImage({
      cacheDirectory: checkoutCache("demo-image"),
      name: "debian-demo",
      version: "1",
    });
    rack = await createVirtualRack({
      nodes: 1,
      artefacts: await provideVirtualArtefacts(),
      withShell: true,
    });
    const [first] = rack.virtualBoards;
    assert.ok(first !== undefined);
    board = first;
    await rack.palletOk("images", "add", image.imagePath, "--name", "demo");
  });
  after(() => rack?.close());

  onRack("waits for an NFS server that is away for three minutes, and comes up without starting anew", async () => {
    const letIn = await refuseTcp(rack);
    const mark = board.console.mark();
    await board.powerOn();
    await board.console.waitFor(/cannot mount \S+ \(attempt 1\); trying again in 1 s/, { from: mark, ...patience });
    await delay(180_000);
    assert.match(board.console.text().slice(mark), /\(attempt 4\); trying again in 8 s/);
    await letIn();
    await registration(rack, board);
    assert.equal(starts(mark), 1);
  });

  onRack("is restarted by the watchdog when its agent hangs for five minutes, and comes back by itself", async () => {
    await comeUp();
    assert.equal(await board.run("cat", ["/run/pallet/watchdog/state"]), "on 300");
    const lastEvent = await newestEvent(rack);
    const mark = board.console.mark();
    const hungAt = Date.now();
    await board.run("busybox", ["killall", "-STOP", "pallet-agent"]);
    await board.console.waitFor(/pallet-watchdog: no sign of life for 300 s/, { from: mark, ...patience });
    assert.ok(Date.now() - hungAt > 290_000, "the watchdog bit early");
    await registration(rack, board, lastEvent);
    assert.equal(starts(mark), 1);
  });

  onRack("goes on with a write when controller and NFS server were away for two minutes, and is proved", async () => {
    await comeUp();
    await rack.palletOk("node", "accept", "--all");
    const rolloutId = await startReimage(rack, board.mac, "--image", "demo");
    await rack.client.rollout(rolloutId, isWriting(board, 32 * MiB), patience);
    const mark = board.console.mark();
    await rack.controller.kill();
    await delay(120_000);
    await rack.startController();
    const rollout = await end(rack, rolloutId, 2 * patience.timeoutMs);
    assert.equal(rollout.state, RolloutState.ROLLOUT_STATE_SUCCEEDED);
    const { attempts, failure } = reimageOf(rollout, board);
    assert.deepEqual([attempts, failure?.message], [1, undefined]);
    assert.equal(starts(mark), 1, "the one start is that into the image");
  });
});
