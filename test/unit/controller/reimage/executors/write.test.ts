import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RolloutRequest } from "../../../../../controller/reimage/plan/rollout.ts";
import type { FakeMachine } from "../fakes/fake-machine.ts";
import { createFakeRack } from "../fakes/fake-rack.ts";

async function written(how: { readonly noResident?: boolean } = {}) {
  const rack = createFakeRack();
  rack.machine().powerOn();
  await rack.clock.advanceSettling(25_000);
  await rack.untilEnded(await rack.startAll(how.noResident ? { noResident: true } : {}));
  const [spec] = rack.machine().specs;
  assert.ok(spec?.kind === "write-image");
  return { rack, spec };
}

describe("the write that an agent is asked for", () => {
  it("tells the new system which node it is and where its controller is", async () => {
    const { rack, spec } = await written();
    const controllers = [{ host: "controller", port: 7700 }];
    assert.deepEqual(spec.customisation?.settings, { node: rack.machine().id, controllers });
  });

  it("tells nothing to a system without a resident agent", async () => {
    const { spec } = await written({ noResident: true });
    assert.equal(spec.customisation?.settings, undefined);
  });
});

describe("an agent that is older than its controller", () => {
  async function reimaged(change: (machine: FakeMachine) => void, request: Pick<RolloutRequest, "noGrow"> = {}) {
    const rack = createFakeRack();
    change(rack.machine());
    rack.machine().powerOn();
    await rack.clock.advanceSettling(25_000);
    const id = await rack.startAll(request);
    await rack.untilEnded(id);
    const [reimage] = rack.journal.get(id)?.reimages ?? [];
    assert.ok(reimage);
    const failure = "failure" in reimage.phase ? reimage.phase.failure : undefined;
    return { rack, failure, history: rack.machine().history };
  }

  it("is not asked for what it does not know, before anything is touched", async () => {
    const { failure, history } = await reimaged((machine) => {
      machine.capabilities = undefined;
    });
    assert.equal(failure?.reason, "unsupported");
    assert.match(failure?.message ?? "", /cannot grow the root to the end of the card \(growth\)/);
    assert.ok(!history.includes("write"));
  });

  it("does what needs nothing new, and the operator is told what its system lacks", async () => {
    const { rack, failure } = await reimaged(
      (machine) => {
        machine.capabilities = undefined;
      },
      { noGrow: true },
    );
    assert.equal(failure, undefined);
    const [spec] = rack.machine().specs;
    assert.ok(spec?.kind === "write-image" && spec.customisation?.settings === undefined);
    assert.equal(rack.events.filter(({ type }) => type === "agent-outdated").length, 1);
  });

  it("that understands something else than it says is stopped at its echo, which names the field", async () => {
    const { failure, history } = await reimaged((machine) => {
      machine.faults.drops = "growth";
    });
    assert.match(failure?.message ?? "", /has not understood growth as this controller meant it/);
    assert.ok(history.includes("write-cancelled"));
    assert.ok(!history.includes("written"));
  });
});
