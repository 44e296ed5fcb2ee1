// The kernel that a Pi 5 boots the agent with, on QEMU's virt machine: kernel, initrd and modules work; a Pi 5's own
// devices are not there. And the device tree that comes with it for a Pi 2 v1.2, with Debian 12's kernel.
import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { checkoutCache } from "../../controller/artefacts/checkout-cache.ts";
import { backportsInitrd, backportsKernel } from "../../controller/boot/choose-agent-boot.ts";
import { buildBootTree } from "../../controller/boot-tree/build-boot-tree.ts";
import { targetNames } from "../../controller/boot-tree/targets.ts";
import { provideBackportsKernel } from "../../controller/rootfs/backports-kernel.ts";
import { provideBaseSystem } from "../../controller/rootfs/base-system.ts";
import { buildRootfs, type RootfsManifest } from "../../controller/rootfs/build-rootfs.ts";
import { archive } from "../e2e/debian-archive.ts";
import { registration } from "../e2e/virtual/come-up.ts";
import { checkout } from "../programs/checkout.ts";
import { createConsole } from "../programs/console.ts";
import { ended, spawnLeashed } from "../programs/leashed-process.ts";
import { tell } from "../rack/story.ts";
import { provideVirtualArtefacts } from "../rack/virtual/artefacts.ts";
import { createVirtualRack, type VirtualRack } from "../rack/virtual/virtual-rack.ts";
import { requires } from "../requirements.ts";

describe("the agent on the kernel of trixie-backports", requires("root", "loop devices", "qemu"), () => {
  let rack: VirtualRack;
  let manifest: RootfsManifest;

  before(async () => {
    rack = await createVirtualRack({
      nodes: 1,
      artefacts: await provideVirtualArtefacts(),
      // By U-Boot, which asks for the kernel that is not a Pi 5's unless the operator says so.
      settings: { bootProfile: { agent: { kernel: backportsKernel, initrd: backportsInitrd } } },
      async prepare(state) {
        const rootfsDirectory = path.join(state, "rootfs");
        await rm(rootfsDirectory, { recursive: true });
        ({ manifest } = await buildRootfs({
          ...{ outDirectory: rootfsDirectory, cacheDirectory: checkoutCache("rootfs"), backports: true },
          agentFile: path.join(checkout, "dist/agent-linux-arm64"),
        }));
        await buildBootTree({
          ...{ ...archive, outDirectory: path.join(state, "boot"), rootfsDirectory },
          ...{ targets: targetNames, overwrite: false },
        });
      },
    });
  });
  after(() => rack?.close());

  it("comes from power-on to the registered agent, which sees the card", { timeout: 600_000 }, () =>
    tell(rack, async () => {
      const [board] = rack.virtualBoards;
      assert.ok(board !== undefined);
      await board.powerOn();
      await registration(rack, board);
      const node = (await rack.client.nodes()).find(({ nodeId }) => nodeId === board.mac);
      assert.equal(node?.facts?.kernel, manifest.backports?.kernelRelease);
      assert.match(await rack.palletOk("disks", board.mac), /\/dev\/mmcblk0/);
    }),
  );
});

describe("Debian 12's kernel with the device tree of a Pi 2 v1.2", requires("root", "qemu"), () => {
  it("comes up on a BCM2837 and gets an address, by the driver of its USB host", { timeout: 300_000 }, async (test) => {
    const request = { ...archive, cacheDirectory: checkoutCache("rootfs") };
    const { kernelPath, initrdPath } = await provideBaseSystem(request);
    const { deviceTreesFolder } = await provideBackportsKernel(request);
    const board = [
      ...["-nodefaults", "-no-user-config", "-display", "none", "-monitor", "none", "-serial", "stdio"],
      ...["-machine", "raspi3b", "-m", "1G", "-no-reboot", "-kernel", kernelPath, "-initrd", initrdPath],
      ...["-dtb", path.join(deviceTreesFolder, "bcm2837-rpi-2-b.dtb")],
      // QEMU's watchdog of this chip resets the machine as soon as it is armed.
      ...["-append", "console=ttyAMA0,115200 pallet.watchdog=off nfsroot=10.0.2.2:/nothing"],
      ...["-netdev", "user,id=net,restrict=on", "-device", "usb-net,netdev=net,port=1"],
    ];
    const qemu = spawnLeashed("qemu-system-aarch64", board);
    const gone = ended(qemu);
    test.after(async () => {
      qemu.kill("SIGKILL");
      await gone;
    });
    const console = createConsole("a Pi 2 v1.2");
    qemu.stdout?.setEncoding("latin1").on("data", console.append);
    await console.waitFor(
      /Machine model: Raspberry Pi 2 Model B rev 1\.2[\s\S]*pallet-init: \S+ address 10\.0\.2\.15/,
      {
        timeoutMs: 240_000,
      },
    );
  });
});
