import type * as wire from "../../../proto/gen/pallet/v1/controller.ts";
import { rolloutIdFromWire, rolloutRequestFromWire } from "../wire/rollout-from-wire.ts";
import { rolloutPlanToWire, rolloutToWire } from "../wire/rollout-to-wire.ts";
import { type CallContext, type CallHost, handleServerStream, handleUnary } from "./handle-call.ts";
import type { ControllerParts } from "./parts.ts";

type RolloutDoors = Pick<
  wire.ControllerServiceServer,
  "planRollout" | "startRollout" | "watchRollout" | "listRollouts" | "cancelRollout"
>;

/** The doors to the rollouts. */
export function createRolloutDoors(host: CallHost, { rollouts }: Pick<ControllerParts, "rollouts">): RolloutDoors {
  async function* watch(
    { rolloutId }: wire.WatchRolloutRequest,
    { signal }: CallContext,
  ): AsyncGenerator<wire.WatchRolloutResponse> {
    for await (const rollout of rollouts.watch(rolloutIdFromWire(rolloutId), signal)) {
      yield { rollout: rolloutToWire(rollout) };
    }
  }

  return {
    planRollout: handleUnary(host, async ({ rollout }: wire.PlanRolloutRequest, { signal }) =>
      rolloutPlanToWire(await rollouts.plan(rolloutRequestFromWire(rollout), signal), rollout?.onlyChanged === true),
    ),

    startRollout: handleUnary(host, async ({ rolloutId, rollout }: wire.StartRolloutRequest) => {
      const id = rolloutId === "" ? {} : { id: rolloutIdFromWire(rolloutId) };
      return { rollout: rolloutToWire(await rollouts.start({ ...rolloutRequestFromWire(rollout), ...id })) };
    }),

    watchRollout: handleServerStream(host, watch),

    listRollouts: handleUnary(host, (_request: wire.ListRolloutsRequest) => ({
      rollouts: rollouts.list().map(rolloutToWire),
    })),

    cancelRollout: handleUnary(host, ({ rolloutId }: wire.CancelRolloutRequest) => {
      const { rollout, summary } = rollouts.cancel(rolloutIdFromWire(rolloutId));
      return { rollout: rolloutToWire(rollout), summary };
    }),
  };
}
