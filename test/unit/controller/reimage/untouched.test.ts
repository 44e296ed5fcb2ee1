// Ends before a write has touched the card: the node is what it was, and back in the system that it left for the reimage.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Reimage, RolloutId } from "../../../../controller/reimage/plan/rollout.ts";
import { createFakeRack, type FakeRack } from "./fakes/fake-rack.ts";

/** Nodes that have proved the image and run it, and the rollout that is tried next. */
async function provedRack(count: number): Promise<FakeRack> {
  const rack = createFakeRack(count);
  for (const machine of rack.machines) machine.powerOn();
  await rack.clock.advanceSettling(25_000);
  await rack.untilEnded(await rack.startAll());
  await rack.clock.advanceSettling(60_000);
  for (const machine of rack.machines) assert.equal(machine.role(), "resident");
  return rack;
}

function reimage(rack: FakeRack, id: RolloutId, index = 0): Reimage {
  const found = rack
    .rollouts()
    .list()
    .find((rollout) => rollout.id === id)?.reimages[index];
  assert.ok(found);
  return found;
}

function stamp(rack: FakeRack): string {
  const { card } = rack.machine();
  return typeof card === "object" ? card.reimageId : card;
}

async function untilPhase(rack: FakeRack, id: RolloutId, phase: Reimage["phase"]): Promise<void> {
  assert.ok(await rack.clock.advanceUntil(() => reimage(rack, id).phase === phase, 120_000, 200), `never ${phase}`);
}

async function assertBack(rack: FakeRack, id: RolloutId, index = 0): Promise<void> {
  assert.equal(reimage(rack, id, index).verdict, "untouched", JSON.stringify(reimage(rack, id, index)));
  assert.equal(rack.targetOf(index), "local");
  assert.equal(rack.nodes.get(rack.machine(index).id)?.proved?.imageName, "debian-12");
  await rack.clock.advanceSettling(180_000);
  assert.equal(rack.machine(index).role(), "resident", rack.machine(index).history.join(" "));
}

describe("a proved and running node", () => {
  /** How the second rollout comes to its end. */
  const ends: Readonly<Record<string, (rack: FakeRack) => Promise<RolloutId>>> = {
    "cancelled at once": async (rack) => {
      const id = await rack.startAll();
      rack.rollouts().cancel(id);
      return id;
    },
    "cancelled when it has just been asked to reboot": async (rack) => {
      const id = await rack.startAll();
      await rack.clock.advanceSettling(500);
      rack.rollouts().cancel(id);
      return id;
    },
    "cancelled when it has already fetched the agent's boot config": async (rack) => {
      const id = await rack.startAll();
      await rack.clock.advanceSettling(15_000);
      assert.equal(rack.machine().role(), undefined);
      rack.rollouts().cancel(id);
      return id;
    },
    "cancelled by a controller that crashes right after": async (rack) => {
      const id = await rack.startAll();
      await rack.clock.advanceSettling(15_000);
      rack.rollouts().cancel(id);
      rack.restart();
      return id;
    },
    "refused by its preflight": async (rack) => {
      rack.machine().devices = [];
      const id = await rack.startAll();
      await rack.untilEnded(id);
      assert.equal(reimage(rack, id).phase, "failed");
      return id;
    },
    "refused by the agent's guard": async (rack) => {
      rack.machine().faults.guard = "in-use";
      const id = await rack.startAll();
      await rack.untilEnded(id);
      assert.equal(reimage(rack, id).attempts, 1);
      return id;
    },
    "failed by an image that is gone": async (rack) => {
      const id = await rack.startAll();
      rack.images = [];
      await rack.untilEnded(id);
      return id;
    },
  };
  for (const [how, end] of Object.entries(ends))
    it(`is back in its system, with its proof, after a rollout that was ${how}`, async () => {
      const rack = await provedRack(1);
      const first = stamp(rack);
      const id = await end(rack);
      await rack.untilEnded(id);
      await assertBack(rack, id);
      assert.equal(stamp(rack), first);
    });

  it("is back when the rollout is cancelled while it waits for its turn to write", async () => {
    const rack = createFakeRack(2, {}, { writers: 1 });
    for (const machine of rack.machines) machine.powerOn();
    await rack.clock.advanceSettling(25_000);
    await rack.untilEnded(await rack.startAll());
    await rack.clock.advanceSettling(60_000);
    const id = await rack.startAll();
    const phaseOf = (index: number) => reimage(rack, id, index).phase;
    const waiting = () => [0, 1].find((index) => phaseOf(index) === "waiting" && phaseOf(1 - index) === "writing");
    assert.ok(await rack.clock.advanceUntil(() => waiting() !== undefined, 120_000, 500));
    const one = waiting() ?? 0;
    await rack.clock.advanceSettling(2000);
    const { summary } = rack.rollouts().cancel(id);
    assert.deepEqual([summary.untouched, summary.goingBack, summary.stopping], [1, 1, 1]);
    await rack.untilEnded(id);
    await assertBack(rack, id, one);
    assert.equal(reimage(rack, id, 1 - one).verdict, "no-system");
    assert.equal(rack.targetOf(1 - one), "agent");
    assert.match(
      reimage(rack, id, 1 - one).failure?.message ?? "",
      /during the write; its card has no system, and its boot target is agent/,
    );
  });

  it("that is off keeps its target, and boots its system when it is switched on", async () => {
    const rack = await provedRack(1);
    rack.machine().powerOff();
    await rack.clock.advanceSettling(60_000);
    const id = await rack.startAll();
    await rack.clock.advanceSettling(30_000);
    rack.rollouts().cancel(id);
    await rack.untilEnded(id);
    rack.machine().powerOn();
    await assertBack(rack, id);
    assert.equal(rack.machine().history.at(-1), "up-resident");
  });

  it("that never comes fails untouched, and keeps its target", async () => {
    const rack = await provedRack(1);
    rack.machine().powerOff();
    await rack.clock.advanceSettling(60_000);
    const id = await rack.startAll();
    await rack.untilEnded(id);
    assert.equal(reimage(rack, id).phase, "failed");
    rack.machine().powerOn();
    await assertBack(rack, id);
    assert.ok(
      rack.events.some(
        ({ type, message }) => type === "reimage-failed" && message.endsWith("its boot target is local as before"),
      ),
    );
  });

  it("is not sent back out of the agent once a next rollout wants it there", async () => {
    const rack = await provedRack(1);
    const id = await rack.startAll();
    await rack.clock.advanceSettling(15_000);
    rack.rollouts().cancel(id);
    const next = await rack.startAll();
    await rack.untilEnded(next);
    assert.equal(reimage(rack, next).phase, "proved");
    // Into the new system, into the agent, and into the new system again: none for the cancelled one.
    assert.equal(rack.machine().history.filter((word) => word === "reboot").length, 3);
  });

  it("stays in the agent when somebody sets that target after the cancellation", async () => {
    const rack = await provedRack(1);
    const id = await rack.startAll();
    await rack.clock.advanceSettling(15_000);
    rack.rollouts().cancel(id);
    await rack.untilEnded(id);
    rack.nodes.setBootTarget(rack.machine().id, { kind: "agent" });
    await rack.clock.advanceSettling(900_000);
    assert.equal(rack.machine().role(), "netboot");
  });
});

describe("a node in the agent whose target was the agent", () => {
  it("stays there when its reimage is cancelled", async () => {
    const rack = createFakeRack(1);
    rack.machine().powerOn();
    await rack.clock.advanceSettling(25_000);
    rack.machine().faults.guard = "mounted";
    const id = await rack.startAll();
    await rack.untilEnded(id);
    assert.equal(reimage(rack, id).verdict, "untouched");
    await rack.clock.advanceSettling(900_000);
    assert.equal(rack.targetOf(), "agent");
    assert.deepEqual(rack.machine().history, ["up-netboot"]);
  });
});

describe("an end after the first write", () => {
  it("whose write was lost is honest: nobody knows what the card holds", async () => {
    const rack = await provedRack(1);
    const id = await rack.startAll();
    await untilPhase(rack, id, "writing");
    rack.machine().powerOff();
    rack.rollouts().cancel(id);
    await rack.untilEnded(id);
    assert.equal(reimage(rack, id).verdict, "unknown");
    assert.equal(rack.targetOf(), "agent");
    assert.equal(rack.nodes.get(rack.machine().id)?.proved, undefined);
  });

  it("says that the card holds the image when only the proof is missing", async () => {
    const rack = await provedRack(1);
    const id = await rack.startAll();
    await untilPhase(rack, id, "proving");
    rack.rollouts().cancel(id);
    await rack.untilEnded(id);
    assert.equal(reimage(rack, id).verdict, "unproved");
  });
});

describe("a proof that comes late", () => {
  async function failedLate(): Promise<{ rack: FakeRack; id: RolloutId }> {
    const rack = createFakeRack(1);
    rack.machine().powerOn();
    await rack.clock.advanceSettling(25_000);
    const id = await rack.startAll();
    await untilPhase(rack, id, "proving");
    // It goes dark in the middle of its first boot.
    rack.machine().powerOff();
    await rack.untilEnded(id);
    assert.equal(reimage(rack, id).phase, "failed");
    assert.equal(reimage(rack, id).verdict, "unproved");
    assert.equal(rack.targetOf(), "agent");
    return { rack, id };
  }

  /** Boots the card as a board does whose boot order has it first. */
  async function bootCard(rack: FakeRack): Promise<void> {
    rack.machine().faults.prefersCard = true;
    rack.machine().powerOn();
    await rack.clock.advanceSettling(60_000);
    assert.equal(rack.machine().role(), "resident");
  }

  function assertProvedLate(rack: FakeRack, id: RolloutId): void {
    assert.equal(reimage(rack, id).phase, "proved");
    assert.equal(reimage(rack, id).verdict, "proved-late");
    assert.equal(reimage(rack, id).failure, undefined);
    assert.equal(rack.targetOf(), "local");
    assert.equal(rack.nodes.get(rack.machine().id)?.proved?.imageName, "debian-12");
    assert.equal(rack.rollouts().list()[0]?.state, "succeeded");
    const told = rack.events.filter(({ type }) => type === "reimage-proved");
    assert.equal(told.length, 1);
    assert.match(
      told[0]?.message ?? "",
      /from \/dev\/mmcblk0p2, late: its reimage had failed before; its boot target is local$/,
    );
  }

  it("counts after the rollout has ended", async () => {
    const { rack, id } = await failedLate();
    await bootCard(rack);
    assertProvedLate(rack, id);
  });

  it("counts after a restart of the controller", async () => {
    const { rack, id } = await failedLate();
    rack.restart();
    await bootCard(rack);
    assertProvedLate(rack, id);
  });

  it("counts when it came while the controller was away", async () => {
    const { rack, id } = await failedLate();
    rack.crash();
    await bootCard(rack);
    rack.restart();
    await rack.clock.advanceSettling(1000);
    assertProvedLate(rack, id);
  });

  it("counts for a reimage that was cancelled before its proof", async () => {
    const rack = createFakeRack(1);
    rack.machine().powerOn();
    await rack.clock.advanceSettling(25_000);
    const id = await rack.startAll();
    await untilPhase(rack, id, "proving");
    rack.rollouts().cancel(id);
    await rack.clock.advanceSettling(60_000);
    assert.equal(reimage(rack, id).verdict, "proved-late");
    assert.equal(rack.targetOf(), "local");
  });

  it("does not count from a system that bears another stamp", async () => {
    const { rack, id } = await failedLate();
    const { card } = rack.machine();
    assert.ok(typeof card === "object");
    rack.machine().card = { ...card, reimageId: "another" };
    await bootCard(rack);
    assert.equal(reimage(rack, id).verdict, "unproved");
    assert.equal(rack.targetOf(), "agent");
  });

  it("leaves the node alone that the next rollout is at work on", async () => {
    const { rack, id } = await failedLate();
    rack.machine().faults.prefersCard = true;
    const next = await rack.startAll();
    rack.machine().powerOn();
    await rack.clock.advanceSettling(30_000);
    assert.equal(reimage(rack, id).verdict, "unproved");
    assert.equal(reimage(rack, next).phase, "netbooting");
    assert.equal(rack.targetOf(), "agent");
  });
});
