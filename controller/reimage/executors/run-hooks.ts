import { Failure } from "../../../proto/failure.ts";
import type { HookMoment } from "../../hooks/hook.ts";
import type { HookNode, HookOccasion } from "../../hooks/render-hook-call.ts";
import type { ReimageState } from "../machine/reimage-state.ts";
import { chooseHookMoments, type HookedEnd } from "./choose-hook-moments.ts";
import { type Executor, type ExecutorContext, recordOfBoard } from "./executor.ts";

/**
 * Runs the hooks that come before anything is done to the node: it still runs what it ran, so that they can drain it. After
 * a restart of the controller they are run again from the first, each with the id that it had.
 */
export const runHooks: Executor<"run-hooks"> = async (_effect, context) => {
  const { state, world, signal, answer } = context;
  const { phase } = state;
  if (phase.name !== "preparing") return;
  try {
    await world.hooks.run(beforeOccasion(phase.since, context), signal);
    answer({ type: "hooks-passed" });
  } catch (error) {
    answer({ type: "hooks-refused", failure: Failure.from(error) });
  }
};

/** Leaves the hooks of an end to their queue. What was given before it is of no use any more. */
export const queueHooks: Executor<"queue-hooks"> = ({ of }, context) => {
  context.world.hooks.forget(context.state.id);
  for (const { when, at, end } of chooseHookMoments(of, context.state.phase))
    context.world.hooks.queue(occasion(when, at, end, context));
};

/** Why before-reimage hooks run. @param at milliseconds since the epoch */
export function beforeOccasion(at: number, context: ExecutorContext): HookOccasion {
  return occasion("before-reimage", at, { phase: "preparing" }, context);
}

function occasion(when: HookMoment, at: number, end: HookedEnd, context: ExecutorContext): HookOccasion {
  const { id, rolloutId, imageName, imageDigest } = context.state;
  return {
    when,
    at,
    node: hookNode(context.state, recordOfBoard(context)),
    reimage: { id, rolloutId, imageName, imageDigest, ...end },
  };
}

/** Of one whose record is gone, or another board's by now, only the name is left. */
function hookNode({ nodeId, nodeName }: ReimageState, record: HookNode | undefined): HookNode {
  return record ?? { id: nodeId, name: nodeName };
}
