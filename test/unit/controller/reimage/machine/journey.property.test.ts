import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { RolloutId } from "../../../../../controller/reimage/plan/rollout.ts";
import { createFakeRack, image } from "../fakes/fake-rack.ts";

type Trouble =
  | "power-cycle"
  | "power-off"
  | "kill-agent"
  | "cut-network"
  | "crash"
  | "register-again"
  | "cancel"
  | "fetch-fails";

const troubles = fc.array(
  fc.record({
    afterMs: fc.integer({ min: 0, max: 60_000 }),
    trouble: fc.oneof(
      { weight: 1, arbitrary: fc.constant<Trouble>("cancel") },
      {
        weight: 20,
        arbitrary: fc.constantFrom<Trouble>(
          "power-cycle",
          "power-off",
          "kill-agent",
          "cut-network",
          "crash",
          "register-again",
          "fetch-fails",
        ),
      },
    ),
    lastsMs: fc.integer({ min: 0, max: 120_000 }),
  }),
  { maxLength: 8 },
);

test("a node and a controller that fail at any moment come to an end that is true", async () => {
  const ends = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(troubles, fc.boolean(), async (plan, startsInSystem) => {
      // Patient without end: what is shown is that no order of troubles leads astray.
      const rack = createFakeRack(1, {
        maxAttempts: 50,
        maxReturnsToAgent: 50,
        maxRebootsIntoAgent: 50,
        maxSteps: 500,
      });
      const machine = rack.machine();
      if (startsInSystem) {
        machine.card = { imageName: "old", imageDigest: image.digest, reimageId: "older", installedAt: "" };
        machine.faults.prefersCard = true;
      }
      machine.powerOn();
      await rack.clock.advanceSettling(25_000);
      delete machine.faults.prefersCard;
      const id: RolloutId = await rack.startAll();
      for (const { afterMs, trouble, lastsMs } of plan) {
        await rack.clock.advanceSettling(afterMs);
        if (trouble === "power-cycle") machine.powerCycle();
        if (trouble === "power-off") {
          machine.powerOff();
          await rack.clock.advanceSettling(lastsMs);
          machine.powerOn();
        }
        if (trouble === "kill-agent") machine.killAgent();
        if (trouble === "cut-network") machine.cutNetwork(lastsMs);
        if (trouble === "register-again" && machine.isUp()) machine.registerAgain();
        if (trouble === "fetch-fails") machine.faults.writes.push("fetch-failed");
        if (trouble === "cancel") rack.rollouts().cancel(id);
        if (trouble === "crash") {
          rack.crash();
          await rack.clock.advanceSettling(lastsMs);
          rack.restart();
        }
      }
      await rack.untilEnded(id);
      const [reimage] = rack.rollouts().list()[0]?.reimages ?? [];
      assert.ok(reimage);
      ends.set(reimage.phase, (ends.get(reimage.phase) ?? 0) + 1);
      assert.equal(rack.targetOf(), reimage.phase === "proved" ? "local" : "agent");
      if (reimage.phase === "proved") {
        assert.deepEqual((machine.card as { reimageId?: string }).reimageId, reimage.id);
        assert.equal(machine.history.filter((word) => word === "written").length >= 1, true);
      }
      if (!plan.some(({ trouble }) => trouble === "cancel"))
        assert.equal(reimage.phase, "proved", reimage.failure?.message);
      const reboots = (): number => machine.history.filter((word) => word === "reboot" || word === "write").length;
      const before = reboots();
      await rack.clock.advanceSettling(900_000);
      assert.equal(reboots(), before);
      assert.equal(rack.rollouts().activeRolloutOf(machine.id), undefined);
    }),
    { numRuns: 60 },
  );
  assert.ok((ends.get("proved") ?? 0) > 20, JSON.stringify([...ends]));
});
