import assert from "node:assert/strict";
import { describe, it } from "node:test";
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
