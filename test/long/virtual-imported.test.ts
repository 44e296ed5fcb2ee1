// A system that someone else built, as an image: imported, baked, and netbooted into by a virtual Pi.
import assert from "node:assert/strict";
import { rename, rm } from "node:fs/promises";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { execa } from "execa";
import { checkoutCache } from "../../controller/artefacts/checkout-cache.ts";
import { buildBootTree } from "../../controller/boot-tree/build-boot-tree.ts";
import { targetNames } from "../../controller/boot-tree/targets.ts";
import { bakeRootfs } from "../../controller/rootfs/bake-rootfs.ts";
import { type Imported, importRootfs } from "../../controller/rootfs/import-rootfs.ts";
import { readCurrentRoot } from "../../controller/roots/read-roots.ts";
import { AgentRole } from "../../proto/gen/pallet/v1/node.ts";
import { buildDemoImage } from "../../scripts/demo-image/build-demo-image.ts";
import { archive } from "../e2e/debian-archive.ts";
import { newestEvent, registration } from "../e2e/virtual/come-up.ts";
import { checkout } from "../programs/checkout.ts";
import { tell } from "../rack/story.ts";
import { provideVirtualArtefacts } from "../rack/virtual/artefacts.ts";
import { createVirtualRack, type VirtualRack } from "../rack/virtual/virtual-rack.ts";
import { requires } from "../requirements.ts";

describe("a virtual Pi with an imported system as its root", requires("root", "loop devices", "qemu"), () => {
  let rack: VirtualRack;
  let imported: Imported;

  before(async () => {
    const demo = await buildDemoImage({ cacheDirectory: checkoutCache("demo-image"), name: "debian-demo" });
    rack = await createVirtualRack({
      nodes: 1,
      artefacts: await provideVirtualArtefacts(),
      // In the place of what "rootfs build" made, by what the commands call.
      async prepare(state) {
        const image = path.join(state, "demo.img.xz");
        await execa("sh", ["-c", 'xz -0 -T0 <"$1" >"$2"', "sh", demo.imagePath, image]);
        const folder = path.join(state, "imported");
        imported = await importRootfs({ imagePath: image, outDirectory: folder, netboot: archive });
        await rm(image);
        await bakeRootfs({ target: folder, agentFile: path.join(checkout, "dist/agent-linux-arm64") });
        await rm(path.join(state, "rootfs"), { recursive: true });
        await rename(folder, path.join(state, "rootfs"));
        await buildBootTree({
          ...{ ...archive, outDirectory: path.join(state, "boot"), rootfsDirectory: path.join(state, "rootfs") },
          ...{ targets: targetNames, overwrite: false },
        });
      },
    });
  });
  after(() => rack?.close());

  it("comes from power-on to the registered agent, with the image's own kernel and files", { timeout: 600_000 }, () =>
    tell(rack, async () => {
      const [board] = rack.virtualBoards;
      assert.ok(board !== undefined);
      await board.powerOn();
      await registration(rack, board);
      const node = (await rack.client.nodes()).find(({ nodeId }) => nodeId === board.mac);
      assert.equal(node?.agent?.role, AgentRole.AGENT_ROLE_NETBOOT);
      assert.equal(node?.facts?.kernel, imported.manifest?.kernelRelease);
      assert.match(board.console.text(), /pallet demo image debian-demo is up \(version \S+, \S+, root overlay\)/);
      assert.equal(await board.card.hasPartitionTable(), false);
    }),
  );

  it("boots the next version after a bake, without a restart of anything", { timeout: 600_000 }, () =>
    tell(rack, async () => {
      const [board] = rack.virtualBoards;
      assert.ok(board !== undefined);
      const store = path.join(rack.stateDirectory, "rootfs");
      const before = await readCurrentRoot(store);
      const rootOf = async () =>
        (await rack.client.nodes()).find(({ nodeId }) => nodeId === board.mac)?.facts?.root?.nfsRoot;
      assert.ok((await rootOf())?.includes(`/versions/${before?.id}/root,`), await rootOf());
      await bakeRootfs({ target: store, agentFile: path.join(checkout, "dist/agent-linux-arm64") });
      const after = await readCurrentRoot(store);
      assert.notEqual(after?.id, before?.id);
      const since = await newestEvent(rack);
      await board.powerOff();
      await board.powerOn();
      await registration(rack, board, since);
      assert.ok((await rootOf())?.includes(`/versions/${after?.id}/root,`), await rootOf());
      const kernel = (await rack.client.events()).findLast(({ type }) => type === "boot-file-fetched")?.message;
      assert.ok(kernel?.includes(`agent/${after?.id}/vmlinuz`), kernel);
    }),
  );
});
