// The kernel that a Pi 5 boots the agent with, on QEMU's virt machine: kernel, initrd and modules work; a Pi 5's own
// devices are not there.
import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { checkoutCache } from "../../controller/artefacts/checkout-cache.ts";
import { backportsInitrd, backportsKernel } from "../../controller/boot/choose-agent-boot.ts";
import { buildBootTree } from "../../controller/boot-tree/build-boot-tree.ts";
import { targetNames } from "../../controller/boot-tree/targets.ts";
import { buildRootfs, type RootfsManifest } from "../../controller/rootfs/build-rootfs.ts";
import { archive } from "../e2e/debian-archive.ts";
import { registration } from "../e2e/virtual/come-up.ts";
import { checkout } from "../programs/checkout.ts";
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
