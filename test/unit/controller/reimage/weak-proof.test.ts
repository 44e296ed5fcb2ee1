// Reimages that leave the image untouched: nothing in the new system speaks for them.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Reimage, RolloutId } from "../../../../controller/reimage/plan/rollout.ts";
import { createFakeRack, type FakeRack, image } from "./fakes/fake-rack.ts";

const kernelPath = `images/${image.digest}/vmlinuz`;

function only(rack: FakeRack, id: RolloutId): Reimage {
  const rollout = rack
    .rollouts()
    .list()
    .find((each) => each.id === id);
  assert.ok(rollout?.reimages[0]);
  return rollout.reimages[0];
}

/** A machine that is up in the netbooted agent, and its reimage to the untouched image just started. */
async function begun(): Promise<{ rack: FakeRack; id: RolloutId }> {
  const rack = createFakeRack();
  rack.machine().powerOn();
  await rack.clock.advanceSettling(25_000);
  return { rack, id: await rack.startAll({ noResident: true }) };
}

test("the kernel fetched after the reboot and an answer are a proof, named as the weak one that it is", async () => {
  const { rack, id } = await begun();
  await rack.untilEnded(id);
  const reimage = only(rack, id);
  assert.equal(reimage.noResident, true);
  assert.deepEqual(reimage.proof, {
    kind: "weak",
    previousBootId: "02:00:00:00:00:01-boot-1",
    imageDigest: image.digest,
    kernelPath,
    answer: "it answers",
    provedAt: reimage.endedAt,
  });
  assert.equal(rack.machine().card, "foreign");
  assert.equal(rack.targetOf(), "local");
  const { proved } = rack.nodes.get(rack.machine().id) ?? {};
  assert.deepEqual(proved, { imageName: "debian-12", imageDigest: image.digest, kind: "weak" });
  assert.equal(rack.rollouts().list()[0]?.state, "succeeded");
  const told = rack.events.find(({ type }) => type === "reimage-proved")?.message ?? "";
  assert.match(told, /weak proof.*images\/d1.*it answers/);
});

test("a node that is silent after it fetched the kernel fails, and its boot target is agent again", async () => {
  const { rack, id } = await begun();
  rack.machine().faults.mute = true;
  await rack.untilEnded(id);
  const { phase, failure } = only(rack, id);
  assert.deepEqual([phase, failure?.reason], ["failed", "node-silent"]);
  assert.match(failure?.message ?? "", /fetched the kernel of debian-12 but did not answer over TCP/);
  assert.equal(rack.targetOf(), "agent");
  assert.equal(rack.nodes.get(rack.machine().id)?.proved, undefined);
});

test("an answer alone proves nothing: the kernel has to go over completely", async () => {
  const { rack, id } = await begun();
  rack.servesKernels = false;
  await rack.untilEnded(id);
  const { phase, failure } = only(rack, id);
  assert.deepEqual([phase, failure?.reason], ["failed", "node-silent"]);
  assert.match(failure?.message ?? "", /did not fetch the kernel of debian-12/);
});

test("a node that ignores its card does not pass for one that booted from it", async () => {
  const { rack, id } = await begun();
  rack.machine().faults.ignoresCard = true;
  rack.machine().faults.mute = true;
  await rack.untilEnded(id);
  assert.deepEqual([only(rack, id).phase, only(rack, id).failure?.reason], ["failed", "wrong-system"]);
});

test("a controller that restarts between the kernel and the answer goes on waiting for the answer", async () => {
  const { rack, id } = await begun();
  rack.machine().faults.mute = true;
  await rack.clock.advanceUntil(
    () => rack.events.some(({ message }) => message.includes("is booting; waiting until")),
    600_000,
    500,
  );
  await rack.clock.advanceSettling(30_000);
  rack.crash();
  rack.machine().faults.mute = false;
  rack.restart();
  await rack.untilEnded(id);
  assert.equal(only(rack, id).proof?.kind, "weak");
});

test("its next reimage waits until somebody reboots it, and says so", async () => {
  const { rack, id } = await begun();
  await rack.untilEnded(id);
  await rack.clock.advanceSettling(60_000);
  const next = await rack.startAll();
  await rack.clock.advanceSettling(120_000);
  assert.equal(only(rack, next).phase, "netbooting");
  assert.match(rack.events.at(-1)?.message ?? "", /reboot or power-cycle it by hand/);
  rack.machine().powerCycle();
  await rack.untilEnded(next);
  assert.equal(only(rack, next).proof?.kind, "resident");
});

test("the same id with and without it are different rollouts", async () => {
  const rack = createFakeRack();
  const request = { nodes: ["pi-1"], all: false, id: "one" as RolloutId };
  await rack.rollouts().start(request);
  await assert.rejects(rack.rollouts().start({ ...request, noResident: true }), /already exists/);
});
