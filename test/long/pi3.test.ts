// A Pi 3's own hardware, emulated: its device tree, SD host, USB host and watchdog, with a controller as documented.
import assert from "node:assert/strict";
import { readFile, truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import type { BoardReport } from "../../controller/cli/view/board-report-view.ts";
import { assertRestarts } from "../e2e/virtual/assert-restarts.ts";
import { registration } from "../e2e/virtual/come-up.ts";
import { patience } from "../e2e/virtual/rack-of-two.ts";
import { tell } from "../rack/story.ts";
import { provideVirtualArtefacts } from "../rack/virtual/artefacts.ts";
import { createPi3Rack, type Pi3Rack } from "../rack/virtual/pi3-rack.ts";
import { requires } from "../requirements.ts";
import { until } from "../until.ts";

/** What the initramfs says last, before it becomes the init of the root that is mounted over NFS. */
const rootIsUp = /pallet-init: .* root is /;

// One story from test to test: an agent needs a minute or two to come through an adapter that carries 0.2 MB/s.
describe("an emulated Pi 3", requires("root", "qemu"), () => {
  let rack: Pi3Rack;
  /** The program that is the init of netbooted nodes. */
  let init: string;
  let whole: Buffer;
  const onRack = (title: string, body: () => Promise<void>) =>
    it(title, { timeout: 1_200_000 }, () => tell(rack, body));

  before(async () => {
    const artefacts = await provideVirtualArtefacts();
    rack = await createPi3Rack({
      artefacts,
      withShell: true,
      // As a copy leaves a file when the disk is full: there, and empty.
      async prepare(stateDirectory) {
        init = path.join(stateDirectory, "rootfs/current/root/usr/bin/busybox");
        whole = await readFile(init);
        await truncate(init, 0);
      },
    });
  });
  after(() => rack?.close());

  onRack(
    "restarts when its kernel panics in the initramfs, and comes up once the root that it is to start is whole",
    async () => {
      const { console } = rack.pi3;
      const poweredOn = console.mark();
      await rack.pi3.powerOn();
      await console.waitFor(/Kernel panic - not syncing: Attempted to kill init!/, patience);
      // The operator mends it; nobody touches the board.
      await rack.controller.stop();
      await writeFile(init, whole);
      await rack.startController();
      await assertRestarts(rack.pi3, poweredOn);
      await console.waitFor(rootIsUp, { from: console.mark(), ...patience });
    },
  );

  onRack("restarts when it is told to, and comes back to the registered agent, its card untouched", async () => {
    const { pi3 } = rack;
    const answers = () =>
      pi3.run("echo", ["here"]).then(
        (said) => said.startsWith("here"),
        () => false,
      );
    await until(answers, "its root has no shell", { withinMs: patience.timeoutMs, everyMs: 1000 });
    const mark = pi3.console.mark();
    await pi3.run("sh", ["-c", "(sleep 1; busybox reboot -f) </dev/null >/dev/null 2>&1 &"]);
    await assertRestarts(pi3, mark);
    await registration(rack, pi3);
    assert.equal(await pi3.card.hasPartitionTable(), false);
  });

  onRack("shows what it is made of: serial number, SD card, a network adapter on USB", async () => {
    const { pi3 } = rack;
    const node = (await rack.client.nodes()).find(({ nodeId }) => nodeId === pi3.mac);
    assert.match(node?.facts?.model ?? "", /^Raspberry Pi 3 Model B/);
    assert.equal(node?.facts?.serial, pi3.serial.padStart(16, "0"));
    // The first tools that it runs come over an emulated USB at 0.2 MB/s: until then its agent may miss the deadline of a call.
    const answers = async () => (await rack.pallet("disks", pi3.mac)).exitCode === 0;
    await until(answers, "its disks were not listed", { withinMs: 240_000 });
    assert.match(await rack.palletOk("disks", pi3.mac), /\/dev\/mmcblk0/);
    const { board } = JSON.parse(await rack.palletOk("board-report", pi3.mac)) as BoardReport;
    assert.match(board["/proc/device-tree/model"] ?? "", /^Raspberry Pi 3/);
    const facts = Object.entries(board).map(([name, value]) => `${name} ${value}`);
    for (const fact of [/watchdog0\/identity Broadcom BCM2835/, /mmc\w*\/mmc\w*:\w+\/cid [0-9a-f]{32}$/, /reboot/])
      assert.ok(
        facts.some((each) => fact.test(each)),
        `no ${fact} in ${Object.keys(board).join()}`,
      );
    const driver = (device: string) => pi3.run("sh", ["-c", `busybox readlink /sys/class/${device}/device/driver`]);
    assert.match(await driver("net/[eu]*"), /\/cdc_ether$/m);
    assert.match(await driver("mmc_host/mmc0"), /\/sdhost-bcm2835$/m);
  });
});
