import assert from "node:assert/strict";
import { test } from "node:test";
import type { ReimageSettings } from "../../../../controller/reimage/machine/settings.ts";
import type { Reimage, RolloutId } from "../../../../controller/reimage/plan/rollout.ts";
import type { UplinkLimits } from "../../../../controller/uplink/uplink-limits.ts";
import { disk } from "./fakes/fake-disk.ts";
import { writeMs } from "./fakes/fake-machine.ts";
import { createFakeRack, type FakeRack } from "./fakes/fake-rack.ts";

async function poweredRack(
  count: number,
  limits: UplinkLimits,
  settings: Partial<ReimageSettings> = {},
): Promise<FakeRack> {
  const rack = createFakeRack(count, settings, limits);
  for (const machine of rack.machines) machine.powerOn();
  await rack.clock.advanceSettling(25_000);
  return rack;
}

/** How many machines write their cards at this moment. */
function writing(rack: FakeRack): number {
  return rack.machines.filter(({ history }) => history.at(-1) === "write").length;
}

function reimages(rack: FakeRack): readonly Reimage[] {
  return rack
    .rollouts()
    .list()
    .flatMap((rollout) => rollout.reimages);
}

function phases(rack: FakeRack): readonly string[] {
  return reimages(rack).map(({ phase }) => phase);
}

/** Lets time pass until everything has ended; returns how many machines wrote at once at most. */
async function mostWriting(rack: FakeRack): Promise<number> {
  let most = 0;
  const ended = await rack.clock.advanceUntil(
    () => {
      most = Math.max(most, writing(rack));
      return reimages(rack).every(({ endedAt }) => endedAt !== undefined);
    },
    4 * 3_600_000,
    500,
  );
  assert.ok(ended, `it does not end: ${phases(rack).join(", ")}`);
  return most;
}

test("no more nodes write at once than the operator lets; the others wait for their turn and say so", async () => {
  const rack = await poweredRack(7, { writers: 2 });
  await rack.startAll();
  await rack.clock.advanceSettling(5000);
  assert.deepEqual(phases(rack).toSorted(), [...Array(5).fill("waiting"), "writing", "writing"]);
  const waiting = reimages(rack).filter(({ phase }) => phase === "waiting");
  for (const { waitingFor, disk: chosen } of waiting) {
    assert.equal(waitingFor, "2 nodes are writing, and limits.writers is 2");
    assert.equal(chosen, "/dev/mmcblk0");
  }
  assert.deepEqual(rack.rollouts().writers(), { writing: 2, waiting: 5 });
  assert.equal(await mostWriting(rack), 2);
  assert.ok(phases(rack).every((phase) => phase === "proved"));
  assert.deepEqual(rack.rollouts().writers(), { writing: 0, waiting: 0 });
  const told = rack.events.filter(({ nodeName }) => nodeName === "pi-7").map(({ message }) => message);
  assert.deepEqual(told.slice(1, 5), [
    "pi-7 is in the agent; checking its disks",
    "pi-7 is ready and waiting for its turn to write",
    "it is pi-7's turn to write; checking its disks once more",
    "writing debian-12 to /dev/mmcblk0 of pi-7 (attempt 1)",
  ]);
});

test("turns go to who has waited longest, over all rollouts", async () => {
  const rack = await poweredRack(4, { writers: 1 });
  const start = (id: string, ...nodes: string[]) => rack.rollouts().start({ id: id as RolloutId, nodes, all: false });
  await start("r1", "pi-4", "pi-2");
  await rack.clock.advanceSettling(2000);
  await start("r2", "pi-1");
  await rack.clock.advanceSettling(2000);
  await start("r3", "pi-3");
  await mostWriting(rack);
  const begun = rack.events.filter(({ message }) => message.startsWith("writing")).map(({ nodeName }) => nodeName);
  assert.deepEqual(begun, ["pi-2", "pi-4", "pi-1", "pi-3"]);
});

test("waiting for a turn uses up no patience, however long it lasts", async () => {
  const patience = { bootTimeoutMs: 30_000, stallTimeoutMs: 30_000, proveTimeoutMs: 60_000 };
  const rack = await poweredRack(8, { writers: 1 }, patience);
  await rack.startAll();
  assert.equal(await mostWriting(rack), 1);
  assert.ok(phases(rack).every((phase) => phase === "proved"));
  assert.ok(7 * writeMs > 5 * patience.bootTimeoutMs);
});

test("a controller that comes back counts those who write, and lets the others go on waiting", async () => {
  const rack = await poweredRack(5, { writers: 2 });
  await rack.startAll();
  for (const pauseMs of [5000, 20_000, 40_000, 1000]) {
    await rack.clock.advanceSettling(pauseMs);
    rack.crash();
    assert.ok(writing(rack) <= 2);
    await rack.clock.advanceSettling(2000);
    rack.restart();
  }
  assert.equal(await mostWriting(rack), 2);
  assert.ok(reimages(rack).every(({ phase, attempts }) => phase === "proved" && attempts === 1));
});

test("cancelled while it waits, a node is left as it was, and its turn goes to nobody", async () => {
  const rack = await poweredRack(3, { writers: 1 });
  await rack.startAll();
  await rack.clock.advanceSettling(5000);
  const [rollout] = rack.rollouts().list();
  rack.rollouts().cancel(rollout?.id as RolloutId);
  assert.equal(await mostWriting(rack), 0);
  assert.deepEqual(phases(rack), ["cancelled", "cancelled", "cancelled"]);
  assert.deepEqual(
    rack.machines.map(({ history }) => history.filter((word) => word === "write").length),
    [1, 0, 0],
  );
  const failures = reimages(rack).map(({ failure }) => failure?.message);
  assert.equal(failures[2], "the reimage of pi-3 was cancelled before anything was written; its card is untouched");
});

test("a node that is silent when its turn comes keeps nobody waiting", async () => {
  const rack = await poweredRack(3, { writers: 1 });
  await rack.startAll();
  await rack.clock.advanceSettling(5000);
  rack.machine(1).powerOff();
  await rack.clock.advanceUntil(() => phases(rack)[2] === "writing", 120_000);
  assert.deepEqual(phases(rack).slice(1), ["checking", "writing"]);
  rack.machine(1).powerOn();
  assert.equal(await mostWriting(rack), 1);
  assert.deepEqual(phases(rack), ["proved", "proved", "proved"]);
});

test("a node that restarts while it waits is looked at anew, and waits on", async () => {
  const rack = await poweredRack(2, { writers: 1 });
  await rack.startAll();
  await rack.clock.advanceSettling(5000);
  rack.machine(1).killAgent();
  assert.equal(await mostWriting(rack), 1);
  assert.deepEqual(phases(rack), ["proved", "proved"]);
  assert.ok(
    rack.events.filter(({ message }) => message === "pi-2 is ready and waiting for its turn to write").length >= 2,
  );
});

test("a disk that was exchanged while its node waited is not written", async () => {
  const rack = await poweredRack(2, { writers: 1 });
  await rack.startAll();
  await rack.clock.advanceSettling(5000);
  rack.machine(1).devices = [disk({ sizeBytes: 64 * 2 ** 30, model: "another", serial: "0x99" })];
  await mostWriting(rack);
  assert.deepEqual(phases(rack), ["proved", "failed"]);
  assert.ok(!rack.machine(1).history.includes("write"));
});

test("nobody begins while the uplink is full, and somebody does as soon as it is not", async () => {
  const rack = await poweredRack(6, { uplinkBytesPerSecond: 12_500_000 });
  rack.rates.set("10.0.0.1", 12_000_000);
  await rack.startAll();
  await rack.clock.advanceSettling(20_000);
  assert.deepEqual(phases(rack), ["writing", ...Array(5).fill("waiting")]);
  assert.match(
    reimages(rack)[5]?.waitingFor ?? "",
    /^1 node is writing, and the uplink is full \(96\.0 Mbit\/s of 100 Mbit\/s\)$/,
  );
  // It has fetched everything and reads it back.
  rack.rates.set("10.0.0.1", 0);
  await rack.clock.advanceSettling(2000);
  assert.equal(phases(rack).filter((phase) => phase === "writing").length, 2);
  rack.rates.set("10.0.0.2", 12_000_000);
  await rack.clock.advanceSettling(10_000);
  assert.equal(phases(rack).filter((phase) => phase === "writing").length, 2);
  rack.rates.clear();
  await mostWriting(rack);
  assert.ok(phases(rack).every((phase) => phase === "proved"));
});

test("a journal that refuses for a while does not give a turn twice", async () => {
  const rack = await poweredRack(4, { writers: 1 });
  await rack.startAll();
  await rack.clock.advanceSettling(5000);
  let left = 40;
  rack.journal.onSave = () => {};
  const ended = rack.clock.advanceUntil(
    () => {
      // Now and then two saves in a row fail.
      left -= 1;
      if (left > 0 && left % 3 === 0) rack.journal.failNext = 2;
      assert.ok(writing(rack) <= 1);
      return reimages(rack).every(({ endedAt }) => endedAt !== undefined);
    },
    4 * 3_600_000,
    5000,
  );
  assert.ok(await ended);
  assert.ok(phases(rack).every((phase) => phase === "proved"));
});
