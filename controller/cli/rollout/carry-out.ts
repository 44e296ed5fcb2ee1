import { Failure } from "../../../proto/failure.ts";
import type { RolloutRequest } from "../../../proto/gen/pallet/v1/controller.ts";
import type { SeenDisk } from "../../../proto/gen/pallet/v1/rollout.ts";
import { exitCodeOfSignal } from "../../../proto/linux/stop-signals.ts";
import { newRolloutId } from "../../reimage/plan/rollout-id.ts";
import { type CommandContext, StopRequested } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { formatCount } from "../render/units.ts";
import { confirm, requireConsent } from "../terminal/confirm.ts";
import { exitCode } from "../terminal/exit-code.ts";
import { type ImageView, viewImage } from "../view/image-view.ts";
import { type PlanView, viewPlan } from "../view/rollout-view.ts";
import { renderEraseQuestion, renderPlan } from "./render-plan.ts";
import { startRollout } from "./start-rollout.ts";
import { describeReturn, type WaitFor, watchRollout } from "./watch-rollout.ts";

/** How far a rollout is carried out, and whether anybody is asked first. */
export interface CarryOutOptions {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly detach?: boolean;
  readonly wait?: WaitFor;
}

/** A plan, with what was seen of each node when it was made. */
interface Plan {
  readonly image: ImageView;
  readonly plans: readonly PlanView[];
  readonly seen: ReadonlyMap<string, SeenDisk>;
}

/** Refuses early what would have to be confirmed where nobody can: before the controller is asked anything. */
export function requireErasureConsent(context: CommandContext, { dryRun = false, yes = false }: CarryOutOptions): void {
  if (!dryRun) requireConsent(context, yes, "erases disks", "give --yes, or --dry-run to see what would be erased");
}

async function fetchPlan({ client, signal }: CommandContext, rollout: RolloutRequest): Promise<Plan> {
  const answer = await client.planRollout({ rollout }, signal);
  if (answer.image === undefined) throw new Failure("internal", "the controller's plan lacks an image");
  if (rollout.onlyChanged && !answer.onlyChanged)
    throw new Failure(
      "unsupported",
      "the controller is older than this program and does not know --only-changed: it would reimage every node",
    );
  return {
    image: viewImage(answer.image),
    plans: answer.plans.map(viewPlan),
    seen: new Map(answer.plans.flatMap(({ nodeId, seen }) => (seen === undefined ? [] : [[nodeId, seen]]))),
  };
}

/** What was seen in the plan and confirmed: image, nodes and disks; the controller refuses to do anything else. */
function confirmedRequest(rollout: RolloutRequest, { image, seen }: Plan, going: readonly PlanView[]): RolloutRequest {
  const nodes = going.map(({ nodeId }) => nodeId);
  return {
    ...rollout,
    ...{ nodes, all: false, imageName: rollout.retryOf === "" ? image.name : "", imageDigest: image.digest },
    seen: nodes.flatMap((nodeId) => seen.get(nodeId) ?? []),
  };
}

/**
 * Shows the plan of a rollout, asks, starts exactly what was shown, and watches it to its end.
 *
 * @param empty said when there is no node to plan for
 * @returns the exit code
 */
export async function carryOut(
  context: CommandContext,
  rollout: RolloutRequest,
  options: CarryOutOptions,
  empty: () => number,
): Promise<number> {
  const { effects, isJson, look, note, print, printJsonLine } = context;
  const { dryRun = false, yes = false, detach = false } = options;
  const plan = await fetchPlan(context, rollout);
  if (plan.plans.length === 0) return empty();
  const going = plan.plans.filter(({ refusal, unchanged }) => refusal === null && unchanged === null);
  const refused = plan.plans.filter(({ refusal }) => refusal !== null);
  if (isJson) {
    printJsonLine({ type: "plan", image: plan.image, plans: plan.plans });
    // Nobody is asked to confirm what they have not seen.
    if (!dryRun && !yes) note(renderPlan(plan.image, plan.plans, look));
  } else {
    print([...renderPlan(plan.image, plan.plans, look), ""]);
  }
  if (going.length === 0 && refused.length === 0) {
    if (!isJson) note([`Nothing to do: every node runs ${printable(plan.image.name)} already.`]);
    return exitCode.done;
  }
  if (dryRun) {
    if (!isJson) note(["Dry run; nothing was erased or written."]);
    return refused.length > 0 ? exitCode.failed : exitCode.done;
  }
  if (going.length === 0)
    throw new Failure(
      "invalid",
      refused.length === plan.plans.length
        ? "every node was refused; nothing was erased"
        : "every node that does not run the image already was refused; nothing was erased",
    );
  if (!yes && !(await confirm(context, renderEraseQuestion(plan.image, plan.plans)))) {
    note(["Not confirmed; nothing was erased."]);
    return exitCode.failed;
  }

  const rolloutId = newRolloutId(effects.clock.now(), effects.random);
  try {
    await startRollout(context, { rolloutId, rollout: confirmedRequest(rollout, plan, going) });
  } catch (error) {
    if (!(error instanceof StopRequested)) throw error;
    note([
      `Stopped while starting rollout ${rolloutId}; the controller may still run it.`,
      ...describeReturn(context, rolloutId),
    ]);
    return exitCodeOfSignal(error.stopSignal);
  }
  if (isJson) printJsonLine({ type: "rollout-started", time: new Date(effects.clock.now()).toISOString(), rolloutId });
  else print([`Rollout ${rolloutId} started on ${formatCount(going.length, "node")}.`, ""]);
  if (detach) {
    if (!isJson) print(describeReturn(context, rolloutId));
    return refused.length > 0 ? exitCode.failed : exitCode.done;
  }
  const code = await watchRollout(context, rolloutId, true, options.wait);
  if (refused.length === 0) return code;
  const left = refused.map(({ nodeName }) => printable(nodeName));
  note([`Not included, because they were refused (see above): ${left.join(", ")}`]);
  return code === exitCode.done ? exitCode.failed : code;
}
