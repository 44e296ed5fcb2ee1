import { inspect } from "node:util";
import type { ServiceError } from "@grpc/grpc-js";
import * as wire from "../../proto/gen/pallet/v1/controller.ts";

import { bootTargets } from "../../proto/words/boot-target.ts";
import { rolloutStates } from "../../proto/words/rollout-state.ts";
import { callDoor } from "./call-door.ts";
import type { ControllerProcess } from "./controller-process.ts";
import type { Ask, Recorder } from "./history/history.ts";
import { leaks } from "./profiles.ts";

/** A person at the command line: asks, and takes down what the answer was. */
export async function askController(
  controller: ControllerProcess | undefined,
  request: Ask,
  { note }: Recorder,
): Promise<void> {
  if (controller === undefined) return;
  try {
    const answer = await send(controller, request);
    note({ what: "answered", request });
    if (leaks(inspect(answer, { depth: 20 }))) note({ what: "leak", where: "an answer" });
  } catch (error) {
    note({ what: "answered", request, refusal: (error as Partial<ServiceError>).details ?? String(error) });
  }
}

/** How the controller shows its rollouts now. */
export async function showRollouts(controller: ControllerProcess | undefined, { note }: Recorder): Promise<void> {
  if (controller === undefined) return;
  const answer = await callDoor(controller.operators.listRollouts, wire.ListRolloutsRequest.create());
  for (const { rolloutId, state } of answer.rollouts)
    note({ what: "shown", rollout: rolloutId, state: rolloutStates.fromWire(state) ?? "unknown" });
  if (leaks(inspect(answer, { depth: 20 }))) note({ what: "leak", where: "the rollouts" });
}

async function send({ operators }: ControllerProcess, request: Ask): Promise<unknown> {
  switch (request.ask) {
    case "reimage": {
      const { nodes, image, rollout: rolloutId, noGrow = false } = request;
      const rollout = wire.RolloutRequest.fromPartial({
        nodes: [...nodes],
        all: nodes.length === 0,
        imageName: image,
        noGrow,
      });
      return callDoor(operators.startRollout, wire.StartRolloutRequest.fromPartial({ rolloutId, rollout }));
    }
    case "retry": {
      const rollout = wire.RolloutRequest.fromPartial({ retryOf: request.of });
      return callDoor(
        operators.startRollout,
        wire.StartRolloutRequest.fromPartial({ rolloutId: request.rollout, rollout }),
      );
    }
    case "retry-tasks":
      return callDoor(
        operators.retryTasks,
        wire.ControllerServiceRetryTasksRequest.fromPartial({ node: request.node }),
      );
    case "cancel":
      return callDoor(operators.cancelRollout, wire.CancelRolloutRequest.fromPartial({ rolloutId: request.rollout }));
    case "boot": {
      const { node, target, image } = request;
      const bootTarget = bootTargets.toWire(target);
      return callDoor(
        operators.setBootTarget,
        wire.SetBootTargetRequest.fromPartial({ node, bootTarget, imageName: image ?? "" }),
      );
    }
    case "reboot":
      return callDoor(operators.rebootNode, wire.RebootNodeRequest.fromPartial({ node: request.node }));
    case "forget":
      return callDoor(operators.forgetNode, wire.ForgetNodeRequest.fromPartial({ node: request.node, force: true }));
    case "accept":
      return callDoor(operators.acceptNodes, wire.AcceptNodesRequest.fromPartial({ nodes: [request.node] }));
  }
}
