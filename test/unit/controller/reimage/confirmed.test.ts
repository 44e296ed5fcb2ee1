// What an operator confirmed is what is done: the image's digest and each disk as they were in the plan.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ImageName } from "../../../../controller/images/catalogue/image.ts";
import { Refusal } from "../../../../controller/refusal/refusal.ts";
import type { ReimagePlan, RolloutId, RolloutRequest } from "../../../../controller/reimage/plan/rollout.ts";
import type { BlockDevice } from "../../../../proto/disk/block-device.ts";
import type { ImageDigest } from "../../../../proto/pack/digest.ts";
import { disk } from "./fakes/fake-disk.ts";
import { createFakeRack, type FakeRack, image } from "./fakes/fake-rack.ts";

const id = "r1" as RolloutId;
const everything: RolloutRequest = { nodes: [], all: true };
const GiB = 2 ** 30;
const part = (number: number, changes: Partial<BlockDevice> = {}) =>
  disk({
    ...{ path: `/dev/mmcblk0p${number}`, type: "part", partitionNumber: number, sizeBytes: number * GiB },
    ...{ filesystemType: "ext4", label: "data", uuid: `uuid-${number}`, ...changes },
  });
const card = disk({ cid: "1b534d01", children: [part(1)] });

/** What may become of a card between the question and the start, or the preflight. */
const changes: readonly (readonly [title: string, devices: readonly BlockDevice[], says: RegExp])[] = [
  ["another card", [{ ...card, cid: "1b534d02" }], /pi-1: the disk to erase is another one than was confirmed/],
  ["a card of another size", [{ ...card, sizeBytes: 64 * GiB }], /another one than was confirmed/],
  [
    "another filesystem",
    [disk({ ...card, children: [part(1, { uuid: "other" })] })],
    /holds something else than what was/,
  ],
  [
    "one more partition",
    [disk({ ...card, children: [part(1), part(2)] })],
    /holds something else than what was confirmed/,
  ],
  ["no partition any more", [disk({ cid: card.cid })], /holds something else than what was confirmed/],
];
/** What is another view of the same card. */
const same: readonly (readonly [title: string, devices: readonly BlockDevice[]])[] = [
  ["the same card", [card]],
  [
    "the same card under another name",
    [disk({ ...card, path: "/dev/mmcblk1", children: [part(1, { path: "/dev/mmcblk1p1" })] })],
  ],
  ["a kernel that tells less of it", [{ ...card, cid: "" }]],
];

async function aRack(count = 1): Promise<FakeRack> {
  const rack = createFakeRack(count);
  for (const machine of rack.machines) {
    machine.devices = [card];
    machine.powerOn();
  }
  await rack.clock.advanceSettling(25_000);
  return rack;
}

async function confirm(rack: FakeRack): Promise<RolloutRequest & { readonly plans: readonly ReimagePlan[] }> {
  const { image: planned, plans } = await rack.rollouts().plan(everything);
  const nodes = plans.map(({ nodeId }) => nodeId);
  return {
    nodes,
    all: false,
    imageName: planned.name,
    imageDigest: planned.digest,
    seen: plans.map(({ seen }) => seen),
    plans,
  };
}

const isPrecondition = (message: RegExp) => (error: unknown) =>
  error instanceof Refusal && error.kind === "precondition" && message.test(error.message);

describe("a start as it was confirmed", () => {
  for (const [title, devices, says] of changes) {
    it(`is refused for ${title}, and nothing is touched`, async () => {
      const rack = await aRack();
      const { plans, ...request } = await confirm(rack);
      rack.machine().devices = devices;
      await assert.rejects(rack.rollouts().start({ ...request, id }), isPrecondition(says));
      await assert.rejects(rack.rollouts().start({ ...request, id }), isPrecondition(/confirmed: .*; found: /));
      assert.deepEqual([rack.rollouts().list(), rack.machine().specs], [[], []]);
      assert.equal(plans.length, 1);
    });

    it(`is refused by the node's preflight for ${title}, when the start could not ask it`, async () => {
      const rack = await aRack();
      const { plans: _, ...request } = await confirm(rack);
      rack.machine().powerOff();
      rack.machine().devices = devices;
      await rack.clock.advanceSettling(60_000);
      await rack.rollouts().start({ ...request, id });
      rack.machine().powerOn();
      await rack.untilEnded(id);
      const reimage = rack.rollouts().list()[0]?.reimages[0];
      assert.equal(reimage?.phase, "failed");
      assert.match(reimage?.failure?.message ?? "", says);
      assert.deepEqual(rack.machine().specs, []);
    });
  }

  for (const [title, devices] of same)
    it(`goes through with ${title}`, async () => {
      const rack = await aRack();
      const { plans: _, ...request } = await confirm(rack);
      rack.machine().devices = devices;
      await rack.rollouts().start({ ...request, id });
      await rack.untilEnded(id);
      assert.equal(rack.rollouts().list()[0]?.state, "succeeded");
    });

  it("is no longer held to what the card held, once the write has begun", async () => {
    const rack = await aRack();
    const { plans: _, ...request } = await confirm(rack);
    await rack.rollouts().start({ ...request, id });
    await rack.clock.advanceUntil(() => rack.machine().specs.length > 0, 600_000, 1000);
    rack.machine().devices = [disk({ cid: card.cid })];
    rack.machine().powerCycle();
    await rack.untilEnded(id);
    assert.equal(rack.rollouts().list()[0]?.state, "succeeded");
    assert.equal(rack.machine().specs.length, 2);
  });

  it("is refused when the image's name means another by now", async () => {
    const rack = await aRack();
    const { plans: _, ...request } = await confirm(rack);
    rack.images = [{ ...image, digest: "b2".repeat(32) as ImageDigest }];
    const says = /image debian-12 is no longer what was confirmed: it was sha256 d1d1.*, and is sha256 b2b2/;
    await assert.rejects(rack.rollouts().start({ ...request, id }), isPrecondition(says));
    assert.deepEqual(rack.rollouts().list(), []);
  });

  it("takes the only disk that fits where none was seen, and says so in the plan", async () => {
    const rack = createFakeRack(1);
    const { plans, ...request } = await confirm(rack);
    assert.deepEqual(plans[0]?.seen, { nodeId: rack.machine().id });
    assert.match(
      plans[0]?.note ?? "",
      /decided by the same rule once its agent runs: it is erased only if exactly one fits/,
    );
    await rack.rollouts().start({ ...request, id });
    rack.machine().powerOn();
    await rack.untilEnded(id);
    assert.equal(rack.rollouts().list()[0]?.state, "succeeded");
  });

  it("does not include nodes that have come since", async () => {
    const rack = await aRack(3);
    const { seen, nodes } = await confirm(rack);
    assert.ok(seen !== undefined);
    const two = { seen: seen.slice(0, 2), imageDigest: image.digest };
    await assert.rejects(
      rack.rollouts().start({ nodes, all: false, ...two }),
      /pi-3 was not in the plan that was confirmed/,
    );
    const { reimages } = await rack.rollouts().start({ ...everything, ...two });
    assert.deepEqual(
      reimages.map(({ nodeName }) => nodeName),
      ["pi-1", "pi-2"],
    );
  });

  it("is refused because of a rollout that is at work on the card, not because of what that makes of the card", async () => {
    const rack = await aRack();
    const { plans: _, ...request } = await confirm(rack);
    await rack.rollouts().start({ nodes: ["pi-1"], all: false, id });
    rack.machine().devices = [disk({ cid: card.cid })];
    const says = /pi-1 is being reimaged by rollout r1/;
    await assert.rejects(rack.rollouts().start({ ...request, id: "r2" as RolloutId }), isPrecondition(says));
  });

  it("is held to it after a restart of the controller too", async () => {
    const rack = await aRack();
    const { plans: _, ...request } = await confirm(rack);
    rack.machine().powerOff();
    await rack.clock.advanceSettling(60_000);
    await rack.rollouts().start({ ...request, id });
    rack.restart();
    rack.machine().devices = [{ ...card, cid: "1b534d02" }];
    rack.machine().powerOn();
    await rack.untilEnded(id);
    assert.match(rack.rollouts().list()[0]?.reimages[0]?.failure?.message ?? "", /another one than was confirmed/);
  });
});

describe("a rollout that is tried again", () => {
  it("takes the nodes that failed, with the same image and options, and says of which rollout", async () => {
    const rack = await aRack(3);
    rack.machine(1).faults.guard = "in-use";
    const names = ["pi-1", "pi-2"];
    await rack.rollouts().start({ nodes: names, all: false, id, full: true, disk: "/dev/mmcblk0" });
    await rack.untilEnded(id);
    delete rack.machine(1).faults.guard;
    // Its name means another image by now.
    const renamed = { ...image, name: "debian-old" as ImageName };
    rack.images = [renamed, { ...image, digest: "b2".repeat(32) as ImageDigest }];
    const retry = { nodes: [], all: false, retryOf: id };
    const { image: planned, plans } = await rack.rollouts().plan(retry);
    assert.deepEqual([planned.digest, plans.map(({ nodeName }) => nodeName)], [image.digest, ["pi-2"]]);
    const again = await rack.rollouts().start({ ...retry, id: "r2" as RolloutId });
    assert.equal(again.retryOf, id);
    await rack.untilEnded(again.id);
    rack.restart();
    const [second] = rack.rollouts().list();
    assert.deepEqual([second?.retryOf, second?.state, second?.imageDigest], [id, "succeeded", image.digest]);
    const spec = rack.machine(1).specs.at(-1);
    assert.ok(spec?.kind === "write-image" && spec.full && spec.device === "/dev/mmcblk0");
    assert.equal(rack.machine(2).specs.length, 0);
    // A retry of the first finds that nothing is left.
    const third = await rack.rollouts().plan(retry);
    assert.match(third.plans[0]?.unchanged ?? "", /it has proved that it runs debian-old/);
    await assert.rejects(rack.rollouts().start(retry), isPrecondition(/every node runs the image already/));
  });

  it("and again: a retry of a retry has the first one's options", async () => {
    const rack = await aRack();
    rack.machine().faults.guard = "in-use";
    await rack.rollouts().start({ nodes: ["pi-1"], all: false, id, full: true });
    await rack.untilEnded(id);
    const second = await rack.rollouts().start({ nodes: [], all: false, retryOf: id, id: "r2" as RolloutId });
    await rack.untilEnded(second.id);
    delete rack.machine().faults.guard;
    const third = await rack.rollouts().start({ nodes: [], all: false, retryOf: second.id, id: "r3" as RolloutId });
    await rack.untilEnded(third.id);
    assert.deepEqual([third.retryOf, third.reimages[0]?.full], [second.id, true]);
  });

  it("is refused for an unknown rollout, a node that did not fail, and an image that is gone", async () => {
    const rack = await aRack(2);
    rack.machine(1).faults.guard = "in-use";
    await rack.rollouts().start({ nodes: ["pi-1", "pi-2"], all: false, id });
    await rack.untilEnded(id);
    const retry = { nodes: [], all: false, retryOf: id };
    await assert.rejects(rack.rollouts().plan({ ...retry, retryOf: "x" as RolloutId }), /there is no rollout "x"/);
    await assert.rejects(rack.rollouts().start({ ...retry, nodes: ["pi-1"] }), /pi-1 neither failed nor was cancelled/);
    rack.images = [];
    await assert.rejects(rack.rollouts().start(retry), isPrecondition(/no longer in the catalogue/));
  });
});

describe("only what changed", () => {
  it("leaves alone nodes that have proved the image and boot it, and refuses a start of nothing", async () => {
    const rack = await aRack(2);
    await rack.rollouts().start({ nodes: ["pi-1"], all: false, id });
    await rack.untilEnded(id);
    const request = { ...everything, onlyChanged: true };
    const { plans } = await rack.rollouts().plan(request);
    assert.deepEqual(
      plans.map(({ unchanged }) => unchanged),
      ["it has proved that it runs debian-12", undefined],
    );
    assert.deepEqual([plans[0]?.erases, plans[0]?.steps, plans[0]?.writeBytes], [[], [], 0]);
    const { reimages } = await rack.rollouts().start({ ...request, id: "r2" as RolloutId });
    assert.deepEqual(
      reimages.map(({ nodeName }) => nodeName),
      ["pi-2"],
    );
    await rack.untilEnded("r2" as RolloutId);
    await assert.rejects(
      rack.rollouts().start(request),
      isPrecondition(/every node runs the image already; nothing to do/),
    );
    // One that was sent into the agent does not run it.
    rack.nodes.setBootTarget(rack.machine(0).id, { kind: "agent" });
    assert.equal((await rack.rollouts().plan(request)).plans[0]?.unchanged, undefined);
    // Nor is a weak proof one of a system with the resident agent, or the reverse.
    assert.equal((await rack.rollouts().plan({ ...request, noResident: true })).plans[1]?.unchanged, undefined);
  });
});
