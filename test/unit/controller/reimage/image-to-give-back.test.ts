// The image that a node boots again if its reimage ends before it writes: it must be there then.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ImageName } from "../../../../controller/images/catalogue/image.ts";
import { assertImageUnneeded } from "../../../../controller/reimage/assert-image-unneeded.ts";
import type { ImageDigest } from "../../../../proto/pack/digest.ts";
import { createFakeRack, image } from "./fakes/fake-rack.ts";

test("an image that a rollout may have to give back is not removed until that rollout has ended", async () => {
  const rack = createFakeRack(1);
  rack.machine().powerOn();
  await rack.clock.advanceSettling(25_000);
  await rack.untilEnded(await rack.startAll());
  await rack.clock.advanceSettling(60_000);
  const next = { ...image, name: "next" as ImageName, digest: "e2".repeat(32) as ImageDigest };
  rack.images = [image, next];
  const [node] = rack.nodes.list();
  const { id } = await rack.rollouts().start({ nodes: [node?.name ?? ""], all: false, imageName: "next" });
  await rack.clock.advanceSettling(1000);
  const remove = () => assertImageUnneeded(image, rack.images, rack.nodes.list(), rack.rollouts().list());
  assert.equal(rack.targetOf(), "agent");
  assert.throws(
    remove,
    /image debian-12 is what pi-1 boot again if rollout .* ends before it writes to their cards; wait/,
  );
  await rack.untilEnded(id);
  assert.doesNotThrow(remove);
});
