// That a node is being reimaged is said in one way, with one remedy, by everyone who refuses to touch it.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ServiceError } from "@grpc/grpc-js";
import type { Node } from "../../../../../controller/nodes/node.ts";
import { assertNoReimage, beingReimaged } from "../../../../../controller/reimage/plan/being-reimaged.ts";
import type { RolloutId } from "../../../../../controller/reimage/plan/rollout.ts";
import { BootTarget } from "../../../../../proto/gen/pallet/v1/controller.ts";
import { ask, serveController } from "../../rpc/served-controller.ts";
import { createFakeRack } from "../fakes/fake-rack.ts";

const expected =
  "pi-1 is being reimaged by rollout r1; wait until it ends (controller watch r1), or cancel it (controller cancel r1)";
const id = "r1" as RolloutId;
const request = { nodes: ["pi-1"], all: false };

async function saidBy(refused: Promise<unknown>): Promise<string> {
  return refused.then(
    () => assert.fail("it was not refused"),
    (error: Error & Partial<ServiceError>) => error.details ?? error.message,
  );
}

describe("a node that is being reimaged", () => {
  it("is refused with what is at work on it and what to do", () => {
    const node = { id: "b8:27:eb:00:00:01", name: "pi-1" } as Node;
    assert.equal(beingReimaged(node, id).message, expected);
    assert.throws(() => assertNoReimage(node, () => id), { message: expected, kind: "precondition" });
    assertNoReimage(node, () => undefined);
  });

  it("is refused so by the plan and the start of another rollout", async () => {
    const rack = createFakeRack(1);
    await rack.rollouts().start({ ...request, id });
    const { plans } = await rack.rollouts().plan(request);
    assert.deepEqual(plans[0]?.refusal, { reason: "invalid", message: expected });
    assert.equal(await saidBy(rack.rollouts().start(request)), expected);
  });

  it("is refused so by every door that would move it", async () => {
    const served = await serveController();
    try {
      const node = served.nodes.discover("b8:27:eb:00:00:01" as Node["id"], "10.0.0.1") ?? assert.fail();
      served.nodes.rename(node.id, "pi-1");
      served.nodes.accept(node.id);
      served.active.set(node.id, id);
      const { client } = served;
      const wiping = async (): Promise<void> => {
        const spec = { work: { $case: "wipe", value: { device: "/dev/mmcblk0", method: 2 } } } as const;
        for await (const _ of client.runNodeOperation({ node: "pi-1", spec }));
      };
      const target = { node: "pi-1", bootTarget: BootTarget.BOOT_TARGET_AGENT, imageName: "", force: false };
      for (const [door, refused] of Object.entries({
        forgetNode: ask(client, client.forgetNode, { node: "pi-1", force: false }),
        setBootTarget: ask(client, client.setBootTarget, target),
        rebootNode: ask(client, client.rebootNode, { node: "pi-1" }),
        runNodeOperation: wiping(),
      }))
        assert.equal(await saidBy(refused), expected, door);
    } finally {
      await served.close();
    }
  });
});
