// What is tested of ControllerService's StreamEvents.
import assert from "node:assert/strict";
import { userInfo } from "node:os";
import { status } from "@grpc/grpc-js";
import { answer, collect, endOf, firstOf } from "../calls.ts";
import type { ServiceChecks } from "./checks.ts";
import { unknownNode } from "./controller-nodes.ts";
import { manyLeave } from "./leaving-callers.ts";
import { acceptanceOf, aNode, aRollout, type World } from "./world.ts";

const allEvents = { afterId: 0n, follow: false, node: "", nodeIds: [] as string[], rolloutId: "", limit: 0, by: "" };
const accept = ({ controller }: World, node: string) =>
  answer(controller, controller.acceptNodes, acceptanceOf([node]));

/** Tests of StreamEvents. */
export const controllerEventChecks: ServiceChecks = {
  StreamEvents: {
    success: {
      "gives what happened, oldest first, and ends": async (world) => {
        const { name, mac } = await aNode(world, { pending: true });
        await accept(world, name);
        const { controller } = world;
        const responses = await collect(controller.streamEvents({ ...allEvents, node: name }));
        const events = responses.flatMap(({ event }) => event ?? []);
        assert.deepEqual(
          events.map(({ type }) => type),
          ["node-discovered", "node-registered", "node-accepted"],
        );
        assert.ok(events.every(({ nodeId, nodeName }) => nodeId === mac && nodeName === name));
        const [first, second] = events.map(({ id }) => id);
        const later = await collect(controller.streamEvents({ ...allEvents, node: name, afterId: first ?? 0n }));
        assert.deepEqual(later[0]?.event?.id, second);
        const last = await collect(controller.streamEvents({ ...allEvents, node: name, limit: 1 }));
        assert.deepEqual(
          last.map(({ event }) => event?.type),
          ["node-accepted"],
        );
        const [one, other] = [await aNode(world), await aNode(world)];
        const ofBoth = await collect(controller.streamEvents({ ...allEvents, nodeIds: [one.mac, other.mac] }));
        assert.deepEqual(new Set(ofBoth.map(({ event }) => event?.nodeId)), new Set([one.mac, other.mac]));
      },
      "with follow, gives what happens later, too": async (world) => {
        const { name } = await aNode(world, { pending: true });
        const stream = world.controller.streamEvents({ ...allEvents, node: name, follow: true });
        await firstOf(stream, ({ event }) => event?.type === "node-registered");
        const accepted = firstOf(stream, ({ event }) => event?.type === "node-accepted");
        await accept(world, name);
        await accepted;
        stream.cancel();
      },
      "gives those of an author": async (world) => {
        const { name } = await aNode(world, { pending: true });
        await accept(world, name);
        const by = async (author: string) => {
          const responses = await collect(world.controller.streamEvents({ ...allEvents, node: name, by: author }));
          return responses.map(({ event }) => event?.type);
        };
        assert.deepEqual(await by(userInfo().username), ["node-accepted"]);
        assert.ok(!(await by("controller")).includes("node-accepted"));
      },
      "gives those of a rollout": async (world, test) => {
        const { rollout } = await aRollout(world, test);
        const { rolloutId } = rollout;
        const responses = await collect(world.controller.streamEvents({ ...allEvents, rolloutId }));
        assert.equal(responses[0]?.event?.type, "rollout-started");
        assert.ok(responses.every(({ event }) => event?.rolloutId === rolloutId));
      },
    },
    errors: {
      NOT_FOUND: [unknownNode(({ controller }, node) => collect(controller.streamEvents({ ...allEvents, node })))],
      INVALID_ARGUMENT: [
        {
          when: "the rollout id is malformed",
          reason: "FAILURE_REASON_INVALID",
          says: /rollout_id/,
          call: ({ controller }) => collect(controller.streamEvents({ ...allEvents, rolloutId: "no id" })),
        },
      ],
    },
    abandoned: {
      "cancelled by its followers, and past their deadline, the controller goes on": async (world) => {
        const { controller } = world;
        const { name } = await aNode(world, { pending: true });
        const following = { ...allEvents, node: name, follow: true };
        const late = endOf(controller.streamEvents(following, { deadline: Date.now() + 300 }));
        await manyLeave(50, () => controller.streamEvents(following));
        assert.equal(await late, status.DEADLINE_EXCEEDED);
        const stream = controller.streamEvents(following);
        const accepted = firstOf(stream, ({ event }) => event?.type === "node-accepted");
        await accept(world, name);
        await accepted;
        stream.cancel();
      },
    },
  },
};
