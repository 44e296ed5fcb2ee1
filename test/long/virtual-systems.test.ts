// A system that people run, with systemd, sshd, cloud-init and a first boot that changes its disk: written, proved, and
// through power cycles. The same on an emulated Pi 3 is in test/long/systems-on-pi3.test.ts, other kinds of image are in
// test/long/systems.test.ts.
import { after, before, describe, it } from "node:test";
import { powerCycle } from "../e2e/virtual/power-cycle.ts";
import { createSystemRack, type SystemRack } from "../e2e/virtual/system-rack.ts";
import { assertInstalled, assertProved, type Installed, reimageToEnd } from "../e2e/virtual/system-story.ts";
import { tell } from "../rack/story.ts";
import { requires } from "../requirements.ts";

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
});
