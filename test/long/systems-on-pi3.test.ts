// A Debian with systemd and a first boot, written by a virtual Pi, does its first boot in an emulated Pi 3 and goes through
// power cycles there. On the virtual Pi itself it does so in test/long/virtual-systems.test.ts; `npm run test:long` runs this.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { powerCycle } from "../e2e/virtual/power-cycle.ts";
import { patience } from "../e2e/virtual/rack-of-two.ts";
import { createSystemRack, type SystemRack } from "../e2e/virtual/system-rack.ts";
import { assertInstalled, assertProved, type Installed, reimageToEnd } from "../e2e/virtual/system-story.ts";
import { takeCardToPi3 } from "../e2e/virtual/take-card-to-pi3.ts";
import { end, startReimage, tell } from "../rack/story.ts";
import { requires } from "../requirements.ts";

// One story from test to test: every boot of an emulated machine takes long enough to prove several things with it.
describe("an emulated Pi 3 with Debian, systemd and a first boot", requires("root", "qemu"), () => {
  let rack: SystemRack;
  let installed: Installed;
  const onRack = (title: string, body: () => Promise<void>) =>
    it(title, { timeout: 1_200_000 }, () => tell(rack, body));

  before(async () => {
    rack = await createSystemRack("plain");
  });
  after(() => rack?.close());

  onRack("has a card with a system that another board has written and proved", async () => {
    const { first } = rack;
    const { mark, rollout } = await reimageToEnd(rack, first);
    installed = await assertProved(rack, first, rollout, mark);
  });

  onRack("does the first boot from that card when it is written again, and is proved", async () => {
    const { first, pi3 } = rack;
    const rolloutId = await startReimage(rack, first.mac, "--image", rack.running.imageName);
    const mark = pi3.console.mark();
    await takeCardToPi3(rack, first, pi3);
    const rollout = await end(rack, rolloutId, patience.timeoutMs);
    const again = await assertProved(rack, pi3, rollout, mark);
    assert.notEqual(again.hostKey, installed.hostKey);
    installed = again;
  });

  onRack("comes back when its power was cut", () => powerCycle(rack, rack.pi3, rack.running, { controller: "there" }));

  onRack("comes back when the controller is half a minute late, loaded by the firmware then", async () => {
    const { pi3 } = rack;
    // Read when the controller starts. The system's own device tree and config.txt are served.
    await rack.machine.configure({ bootProfile: { loader: "firmware" } });
    const mark = pi3.console.mark();
    await powerCycle(rack, pi3, rack.running, { controller: "away" });
    assert.match(pi3.console.text().slice(mark), /firmware: starting 64-bit kernel/);
    await assertInstalled(rack, rack.pi3, installed);
  });
});
