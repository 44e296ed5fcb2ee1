// Nodes that run what they proved, and a controller that has forgotten them.
import assert from "node:assert/strict";
import { readdir, rm } from "node:fs/promises";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { BootTarget, type Node } from "../../proto/gen/pallet/v1/controller.ts";
import { requires } from "../requirements.ts";
import { makeTinyImage, type TinyImage } from "../tiny-image.ts";
import { until } from "../until.ts";
import { createRack, type Rack } from "./rack.ts";
import { tell } from "./story.ts";

describe("a node that runs what it proved", requires("root", "loop devices"), () => {
  let rack: Rack;
  let image: TinyImage;
  before(async () => {
    rack = await createRack({ nodes: 1 });
    image = await makeTinyImage({ folder: rack.folder, name: "image" });
    await rack.palletOk("images", "add", image.path, "--name", "image");
    await rack.powerOnAll();
    await rack.palletOk("reimage", "--all", "--yes");
  });
  after(() => rack?.close());

  async function node(): Promise<Node> {
    const [found] = await rack.client.nodes();
    assert.ok(found !== undefined);
    return found;
  }

  async function newest(): Promise<bigint> {
    return (await rack.client.events()).at(-1)?.id ?? 0n;
  }

  async function restored(after: bigint): Promise<void> {
    await rack.client.event(({ type, id }) => type === "node-restored" && id > after, { timeoutMs: 60_000 });
    const { bootTarget, provedImageName, bootImageDigest } = await node();
    assert.equal(bootTarget, BootTarget.BOOT_TARGET_LOCAL);
    assert.equal(provedImageName, "image");
    assert.notEqual(bootImageDigest, "");
  }

  async function bootsItsOwnSystem(): Promise<void> {
    const mark = rack.board(1).console.mark();
    await rack.board(1).powerOff();
    await rack.board(1).powerOn();
    await rack.board(1).console.waitFor(/"role":"(netboot|resident)"/, { from: mark });
    assert.match(rack.board(1).console.text().slice(mark), /"role":"resident"/);
  }

  it("boots it at its next power cut although it was forgotten meanwhile", { timeout: 360_000 }, () =>
    tell(rack, async () => {
      const before = await newest();
      const discoveredAt = (await node()).discoveredAt?.getTime();
      const { name } = await node();
      const refused = await rack.pallet("node", "forget", name);
      assert.equal(refused.exitCode, 1);
      assert.match(refused.stderr, /is online and runs image.*restored from its stamp.*give --yes/s);
      assert.equal((await node()).discoveredAt?.getTime(), discoveredAt);
      await rack.palletOk("node", "forget", name, "--yes");
      await restored(before);
      await bootsItsOwnSystem();
    }),
  );

  it("boots it although the database was lost, and the image with it for a while", { timeout: 480_000 }, () =>
    tell(rack, async () => {
      const refused = await rack.pallet("images", "remove", "image");
      assert.match(refused.stderr, /1 node boots its own system.*reimage.*erases their cards/s);
      await rack.controller.stop();
      for (const name of await readdir(rack.stateDirectory)) {
        if (name.startsWith("pallet.sqlite") || name === "images")
          await rm(path.join(rack.stateDirectory, name), { recursive: true });
      }
      await rack.startController();
      const { message } = await rack.client.event(({ type }) => type === "stamp-unknown", { timeoutMs: 60_000 });
      assert.match(message, /images add FILE --name image/);
      const { stderr } = await rack.pallet("nodes");
      assert.match(stderr, /runs image, which is not in the catalogue/);
      const before = await newest();
      await rack.palletOk("images", "add", image.path, "--name", "image");
      await restored(before);
      await bootsItsOwnSystem();
    }),
  );

  it("comes back to it although it lost power before the new database had heard of it", { timeout: 480_000 }, () =>
    tell(rack, async () => {
      await rack.controller.stop();
      await rack.board(1).powerOff();
      for (const name of await readdir(rack.stateDirectory))
        if (name.startsWith("pallet.sqlite")) await rm(path.join(rack.stateDirectory, name));
      await rack.startController();
      const mark = rack.board(1).console.mark();
      await rack.board(1).powerOn();
      // Into the agent, since nothing is known of it, and out again by itself.
      await rack
        .board(1)
        .console.waitFor(/"role":"netboot"[\s\S]*"role":"resident"/, { from: mark, timeoutMs: 90_000 });
      await until(async () => (await node()).provedImageName === "image", "its proof is not restored");
      assert.equal((await node()).bootTarget, BootTarget.BOOT_TARGET_LOCAL);
      const restored = (await rack.client.events()).filter(({ type }) => type === "node-restored");
      assert.match(restored[0]?.message ?? "", /bears the stamp of image, so it is rebooted into its own system/);
      assert.equal(restored.length, 2);
      await bootsItsOwnSystem();
    }),
  );
});
