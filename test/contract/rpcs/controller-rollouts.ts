// What is tested of ControllerService's RPCs about rollouts. None writes to a disk: the rack's tests do.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { type ServiceError, status } from "@grpc/grpc-js";
import type { RolloutRequest } from "../../../proto/gen/pallet/v1/controller.ts";
import { FailureReason } from "../../../proto/gen/pallet/v1/failure.ts";
import { ReimagePhase, RolloutState, SeenDisk } from "../../../proto/gen/pallet/v1/rollout.ts";
import { aLoopDevice } from "../../unit/agent/disk/a-loop-device.ts";
import { answer, collect, endOf, firstOf } from "../calls.ts";
import type { Refusal, ServiceChecks } from "./checks.ts";
import { whilePending } from "./controller-nodes.ts";
import { startsWithBrokenProfiles } from "./controller-profiles.ts";
import { leavesDuringLsblk, manyLeave } from "./leaving-callers.ts";
import { aNode, aRollout, cancelRollout, rolloutOf, type World } from "./world.ts";

const { ROLLOUT_STATE_RUNNING: Running, ROLLOUT_STATE_CANCELLED: Cancelled } = RolloutState;

type Ask = (world: World, rollout: RolloutRequest | undefined) => Promise<unknown>;

const plan = ({ controller }: World, rollout: RolloutRequest | undefined) =>
  answer(controller, controller.planRollout, { rollout });
const start = ({ controller }: World, rollout: RolloutRequest | undefined, rolloutId = "") =>
  answer(controller, controller.startRollout, { rolloutId, rollout });
const watch = ({ controller }: World, rolloutId: string) => collect(controller.watchRollout({ rolloutId }));
const cancel = ({ controller }: World, rolloutId: string) =>
  answer(controller, controller.cancelRollout, { rolloutId });

/** What PlanRollout and StartRollout refuse alike. */
function refusalsOfRequests(ask: Ask): Record<"NOT_FOUND" | "INVALID_ARGUMENT" | "FAILED_PRECONDITION", Refusal[]> {
  const invalid = (when: string, says: RegExp, call: Refusal["call"]): Refusal => ({
    ...{ when, says, call },
    reason: "FAILURE_REASON_INVALID",
  });
  return {
    NOT_FOUND: [
      invalid("there is no such node", /"no-such-node"/, (world) => ask(world, rolloutOf(["no-such-node"]))),
      invalid("there is no such image", /"no-such-image"/, async (world) =>
        ask(world, rolloutOf([(await aNode(world)).name], { imageName: "no-such-image" })),
      ),
    ],
    FAILED_PRECONDITION: [whilePending((world, node) => ask(world, rolloutOf([node])))],
    INVALID_ARGUMENT: [
      invalid("nothing is asked", /rollout is missing/, (world) => ask(world, undefined)),
      invalid("no node is chosen", /no node is named/, (world) => ask(world, rolloutOf([]))),
      invalid("nodes are named besides all", /not both/, async (world) =>
        ask(world, rolloutOf([(await aNode(world)).name], { all: true })),
      ),
      invalid("there are several images and none is named", /several images/, async (world) =>
        ask(world, rolloutOf([(await aNode(world)).name], { imageName: "" })),
      ),
    ],
  };
}

const malformedId = (call: (world: World, id: string) => Promise<unknown>): Refusal => ({
  when: "the id is malformed",
  reason: "FAILURE_REASON_INVALID",
  says: /rollout_id/,
  call: (world) => call(world, "no id"),
});
const unknownRollout = (call: (world: World, id: string) => Promise<unknown>): Refusal => ({
  when: "there is no such rollout",
  reason: "FAILURE_REASON_INVALID",
  says: /"nobody-started-it".*controller rollouts/,
  call: (world) => call(world, "nobody-started-it"),
});

/** Tests of the RPCs about rollouts. */
export const controllerRolloutChecks: ServiceChecks = {
  PlanRollout: {
    success: {
      "says for each node what would be erased and written, or why not": async (world, test) => {
        const { path: disk, sizeBytes } = await aLoopDevice(test, 64);
        const { node: busy } = await aRollout(world, test);
        const { image, plans } = await plan(world, rolloutOf([world.agentNode.name, busy.name], { disk }));
        assert.deepEqual(image, world.image);
        const planned = plans.find(({ nodeName }) => nodeName === world.agentNode.name);
        assert.equal(planned?.refusal, undefined);
        assert.equal(planned?.disk, disk);
        assert.equal(planned?.diskBytes, BigInt(sizeBytes));
        const { pack } = world.image;
        assert.equal(planned?.writeBytes, (pack?.dataBytes ?? 0n) + (pack?.zeroBytes ?? 0n));
        assert.ok(planned?.erases.length === 1 && planned.steps.length > 0);
        const refused = plans.find(({ nodeName }) => nodeName === busy.name);
        assert.match(refused?.refusal?.message ?? "", /reimage/);
        assert.equal(plans.length, 2);
      },
      "starts nothing": async (world) => {
        const { name } = await aNode(world);
        await plan(world, rolloutOf([name]));
        const { controller } = world;
        const { node } = await answer(controller, controller.getNode, { node: name });
        assert.equal(node?.rolloutId, "");
      },
    },
    errors: refusalsOfRequests(plan),
    abandoned: {
      "cancelled, it ends what it asked of the nodes": async (world) => {
        const { controller, agentNode, tools } = world;
        const request = { rollout: rolloutOf([agentNode.name]) };
        await leavesDuringLsblk(tools, "cancel", (options) =>
          answer(controller, controller.planRollout, request, options),
        );
      },
    },
  },

  StartRollout: {
    success: {
      "starts it and returns at once; asked again by the same id it gives the same": async (world, test) => {
        const { name } = await aNode(world);
        const rolloutId = randomUUID();
        const { rollout } = await start(world, rolloutOf([name]), rolloutId);
        test.after(() => cancelRollout(world, rolloutId));
        assert.equal(rollout?.rolloutId, rolloutId);
        assert.equal(rollout?.state, Running);
        assert.equal(rollout?.imageName, "tiny");
        assert.equal(rollout?.imageDigest, world.image.digest);
        assert.deepEqual(
          rollout?.reimages.map(({ nodeName }) => nodeName),
          [name],
        );
        const again = await start(world, rolloutOf([name]), rolloutId);
        assert.deepEqual(again.rollout?.startedAt, rollout?.startedAt);
        const { controller } = world;
        const { node } = await answer(controller, controller.getNode, { node: name });
        assert.equal(node?.rolloutId, rolloutId);
      },
    },
    errors: {
      NOT_FOUND: refusalsOfRequests(start).NOT_FOUND,
      INVALID_ARGUMENT: [
        ...refusalsOfRequests(start).INVALID_ARGUMENT,
        malformedId(async (world, id) => start(world, rolloutOf([(await aNode(world)).name]), id)),
        {
          when: "profiles have problems, and all are told",
          reason: "FAILURE_REASON_INVALID",
          says: /2 problems:.*a\.yaml line 1 .*system\.hostname.*b\.yaml line 1 .*did you mean "system"/s,
          call: startsWithBrokenProfiles,
        },
        {
          when: "a named node was not in the plan that was confirmed",
          reason: "FAILURE_REASON_INVALID",
          says: /was not in the plan that was confirmed/,
          async call(world) {
            const [planned, other] = [await aNode(world), await aNode(world)];
            const seen = [SeenDisk.fromPartial({ nodeId: planned.mac })];
            return start(world, rolloutOf([planned.name, other.name], { seen }));
          },
        },
      ],
      FAILED_PRECONDITION: [
        ...refusalsOfRequests(start).FAILED_PRECONDITION,
        {
          when: "a reimage of one of the nodes runs already, and then none is started",
          reason: "FAILURE_REASON_INVALID",
          says: /is being reimaged by rollout/,
          async call(world, test) {
            const { node: busy } = await aRollout(world, test);
            const { name } = await aNode(world);
            const refused = await start(world, rolloutOf([name, busy.name])).catch((error: ServiceError) => error);
            const { controller } = world;
            assert.equal((await answer(controller, controller.getNode, { node: name })).node?.rolloutId, "");
            throw refused;
          },
        },
        {
          when: "profiles say something that was not confirmed",
          reason: "FAILURE_REASON_INVALID",
          says: /its profiles say something else than what was confirmed/,
          async call(world) {
            const { mac, name } = await aNode(world);
            const seen = [SeenDisk.fromPartial({ nodeId: mac, config: "ab".repeat(32) })];
            return start(world, rolloutOf([name], { seen }));
          },
        },
        {
          when: "the image's name means another than was confirmed",
          reason: "FAILURE_REASON_INVALID",
          says: /image tiny is no longer what was confirmed/,
          call: async (world) =>
            start(world, rolloutOf([(await aNode(world)).name], { imageDigest: world.otherImage.digest })),
        },
      ],
      ALREADY_EXISTS: [
        {
          when: "the id is another rollout's",
          reason: "FAILURE_REASON_INVALID",
          says: /choose another id/,
          async call(world, test) {
            const { rollout } = await aRollout(world, test);
            return start(world, rolloutOf([(await aNode(world)).name]), rollout.rolloutId);
          },
        },
      ],
    },
  },

  WatchRollout: {
    success: {
      "gives the rollout now and after changes, and ends with OK after its end": async (world, test) => {
        const { rollout } = await aRollout(world, test);
        const stream = world.controller.watchRollout(rollout);
        const states = collect(stream);
        const first = await firstOf(world.controller.watchRollout(rollout));
        assert.equal(first.rollout?.state, Running);
        await cancel(world, rollout.rolloutId);
        const last = (await states).at(-1)?.rollout;
        assert.equal(last?.state, Cancelled);
        assert.equal(last?.reimages[0]?.phase, ReimagePhase.REIMAGE_PHASE_CANCELLED);
        assert.equal(last?.reimages[0]?.failure?.reason, FailureReason.FAILURE_REASON_CANCELLED);
        assert.equal((await watch(world, rollout.rolloutId)).length, 1, "an ended rollout has one state");
      },
    },
    errors: { INVALID_ARGUMENT: [malformedId(watch)], NOT_FOUND: [unknownRollout(watch)] },
    abandoned: {
      "cancelled by fifty watchers, and past a deadline, the rollout goes on": async (world, test) => {
        const { controller } = world;
        const { rollout } = await aRollout(world, test);
        const late = endOf(controller.watchRollout(rollout, { deadline: Date.now() + 500 }));
        await manyLeave(50, () => controller.watchRollout(rollout));
        assert.equal(await late, status.DEADLINE_EXCEEDED);
        const stream = controller.watchRollout(rollout);
        assert.equal((await firstOf(stream)).rollout?.state, Running);
        stream.cancel();
      },
    },
  },

  ListRollouts: {
    success: {
      "gives every rollout, newest first": async (world, test) => {
        const made = [await aRollout(world, test), await aRollout(world, test)];
        const { rollouts } = await answer(world.controller, world.controller.listRollouts, {});
        const ids = rollouts.map(({ rolloutId }) => rolloutId);
        assert.deepEqual(ids.slice(0, 2), made.map(({ rollout }) => rollout.rolloutId).reverse());
      },
    },
  },

  CancelRollout: {
    success: {
      "ends what has not ended, and changes nothing of what has": async (world, test) => {
        const { rollout } = await aRollout(world, test);
        await cancel(world, rollout.rolloutId);
        const last = (await watch(world, rollout.rolloutId)).at(-1)?.rollout;
        assert.equal(last?.state, Cancelled);
        assert.deepEqual((await cancel(world, rollout.rolloutId)).rollout, last);
      },
    },
    errors: { INVALID_ARGUMENT: [malformedId(cancel)], NOT_FOUND: [unknownRollout(cancel)] },
  },
};
