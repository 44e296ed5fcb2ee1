// The hardware watchdog of a netbooted node, on a virtual Pi: fed across switch_root, and what restarts a node whose
// agent hangs.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { tell } from "../rack/story.ts";
import { provideVirtualArtefacts } from "../rack/virtual/artefacts.ts";
import type { VirtualBoard } from "../rack/virtual/virtual-board.ts";
import { createVirtualRack, type VirtualRack } from "../rack/virtual/virtual-rack.ts";
import { requires } from "../requirements.ts";
import { until } from "../until.ts";
import { newestEvent, registration } from "./virtual/come-up.ts";
import { patience } from "./virtual/rack-of-two.ts";
import { refuseTcp } from "./virtual/refuse-tcp.ts";

describe("a virtual Pi whose agent may be silent for a minute", requires("root", "qemu"), () => {
  let rack: VirtualRack;
  let board: VirtualBoard;
  const onRack = (title: string, body: () => Promise<void>) =>
    it(title, { timeout: 2_400_000 }, () => tell(rack, body));

  before(async () => {
    rack = await createVirtualRack({
      nodes: 1,
      artefacts: await provideVirtualArtefacts(),
      withShell: true,
      settings: {
        bootProfile: { agent: { append: ["pallet.watchdog=60"] } },
        reimage: { bootTimeoutMs: patience.timeoutMs, proveTimeoutMs: patience.timeoutMs },
      },
    });
    const [first] = rack.virtualBoards;
    assert.ok(first !== undefined);
    board = first;
  });
  after(() => rack?.close());

  onRack("waits for an NFS server that is away, less and less often", async () => {
    const letIn = await refuseTcp(rack);
    await board.powerOn();
    await board.console.waitFor(/cannot mount \S+ \(attempt 1\); trying again in 1 s/, patience);
    await board.console.waitFor(/cannot mount \S+ \(attempt 2\); trying again in 2 s/, patience);
    await letIn();
  });

  onRack("says in its log that the watchdog guards it", async () => {
    await registration(rack, board);
    assert.equal(await board.run("cat", ["/run/pallet/watchdog/state"]), "on 60");
    // The log is sent a moment after the agent has registered.
    const said = async () => /the watchdog restarts this node/.test(await rack.palletOk("node", "logs", board.mac));
    await until(said, "the controller has no such log", { withinMs: patience.timeoutMs, everyMs: 1000 });
  });

  onRack("is restarted by the watchdog when its agent hangs, and comes back by itself", async () => {
    const lastEvent = await newestEvent(rack);
    const mark = board.console.mark();
    await board.run("busybox", ["killall", "-STOP", "pallet-agent"]);
    await board.console.waitFor(/pallet-watchdog: no sign of life for 60 s/, { from: mark, ...patience });
    await board.console.waitFor(/\nU-Boot \d/, { from: mark, ...patience });
    await registration(rack, board, lastEvent);
  });
});
