// A system that people run, with systemd, sshd, cloud-init and a first boot that changes its disk: written, proved, and
// through power cycles, on both virtual boards. The other kinds of image are in test/long/systems.test.ts.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { end, startReimage, tell } from "../rack/story.ts";
import { requires } from "../requirements.ts";
import { powerCycle } from "./virtual/power-cycle.ts";
import { patience } from "./virtual/rack-of-two.ts";
import { createSystemRack, type SystemRack } from "./virtual/system-rack.ts";
import { assertInstalled, assertProved, type Installed, reimageToEnd } from "./virtual/system-story.ts";
import { takeCardToPi3 } from "./virtual/take-card-to-pi3.ts";

// One story from test to test: every boot of an emulated machine takes long enough to prove several things with it.
describe("a virtual Pi with Debian, systemd and a first boot", requires("root", "qemu"), () => {
  let rack: SystemRack;
  let installed: Installed;
  const onRack = (title: string, body: () => Promise<void>) =>
    it(title, { timeout: 1_200_000 }, () => tell(rack, body));

  before(async () => {
    rack = await createSystemRack("plain");
  });
  after(() => rack?.close());

  onRack("is written, does its first boot once, and is proved on the disk that has another id then", async () => {
    const { first } = rack;
    const { mark, rollout } = await reimageToEnd(rack, first);
    installed = await assertProved(rack, first, rollout, mark);
  });

  onRack("comes back on its own system when its power was cut", async () => {
    await powerCycle(rack, rack.first, rack.running, { controller: "there" });
    await assertInstalled(rack, rack.first, installed);
  });

  onRack("comes back when the power of the site was cut, and the controller is half a minute late", async () => {
    await powerCycle(rack, rack.first, rack.running, { controller: "away" });
    await assertInstalled(rack, rack.first, installed);
  });

  onRack("is written again, and an emulated Pi 3 does the first boot from that card and is proved", async () => {
    const { first, pi3 } = rack;
    const rolloutId = await startReimage(rack, first.mac, "--image", rack.running.imageName);
    const mark = pi3.console.mark();
    await takeCardToPi3(rack, first, pi3);
    const rollout = await end(rack, rolloutId, patience.timeoutMs);
    const again = await assertProved(rack, pi3, rollout, mark);
    assert.notEqual(again.hostKey, installed.hostKey);
    installed = again;
  });

  onRack("comes back on the Pi 3 when its power was cut", () =>
    powerCycle(rack, rack.pi3, rack.running, { controller: "there" }),
  );

  onRack("comes back on the Pi 3 when the controller is half a minute late, loaded by the firmware then", async () => {
    const { pi3 } = rack;
    // Read when the controller starts. The system's own device tree and config.txt are served.
    await rack.machine.configure({ bootProfile: { loader: "firmware" } });
    const mark = pi3.console.mark();
    await powerCycle(rack, pi3, rack.running, { controller: "away" });
    assert.match(pi3.console.text().slice(mark), /firmware: starting 64-bit kernel/);
    await assertInstalled(rack, rack.pi3, installed);
  });
});
