import type { Command } from "commander";
import { parseSize } from "../../../proto/disk/parse-size.ts";
import { Failure } from "../../../proto/failure.ts";
import type { RolloutRequest } from "../../../proto/gen/pallet/v1/controller.ts";
import { exitCodeOfSignal } from "../../../proto/linux/stop-signals.ts";
import { newRolloutId } from "../../reimage/plan/rollout-id.ts";
import { type CommandContext, StopRequested, type ToAction } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { formatCount } from "../render/units.ts";
import { renderEraseQuestion, renderPlan } from "../rollout/render-plan.ts";
import { startRollout } from "../rollout/start-rollout.ts";
import { describeReturn, watchRollout } from "../rollout/watch-rollout.ts";
import { confirm, requireConsent } from "../terminal/confirm.ts";
import { exitCode } from "../terminal/exit-code.ts";
import { type ImageView, viewImage } from "../view/image-view.ts";
import { type PlanView, viewPlan } from "../view/rollout-view.ts";
import { requireNodeChoice, selectorTextOf } from "./node-choice.ts";
import { examples, jsonLinesHelp, nodeHelp } from "./option-texts.ts";

interface Options {
  readonly all?: boolean;
  readonly image?: string;
  readonly disk?: string;
  /** --no-resident makes it false. */
  readonly resident?: boolean;
  readonly full?: boolean;
  /** --no-grow makes it false. */
  readonly grow?: boolean;
  readonly growTo?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly detach?: boolean;
}

interface Plan {
  readonly image: ImageView;
  readonly plans: readonly PlanView[];
}

async function fetchPlan({ client, signal }: CommandContext, rollout: RolloutRequest): Promise<Plan> {
  const answer = await client.planRollout({ rollout }, signal);
  if (answer.image === undefined) throw new Failure("internal", "the controller's plan lacks an image");
  if (answer.plans.length === 0)
    throw new Failure(
      "invalid",
      'no nodes are accepted: list them with "controller nodes" and accept them with "controller node accept"',
    );
  return { image: viewImage(answer.image), plans: answer.plans.map(viewPlan) };
}

async function reimage(context: CommandContext, options: Options, nodes: readonly string[]): Promise<number> {
  const { effects, isJson, look, note, print, printJsonLine } = context;
  const {
    all = false,
    image = "",
    disk = "",
    resident = true,
    full = false,
    grow = true,
    growTo,
    dryRun = false,
    yes = false,
    detach = false,
  } = options;
  const noResident = !resident;
  const how = { disk, noResident, full, noGrow: !grow, growToBytes: BigInt(growToBytes(grow, growTo)) };
  requireNodeChoice("reimage", selectorTextOf({ all }, nodes));
  if (!dryRun) requireConsent(context, yes, "erases disks", "give --yes, or --dry-run to see what would be erased");

  const plan = await fetchPlan(context, { nodes: [...nodes], all, imageName: image, ...how });
  const going = plan.plans.filter(({ refusal }) => refusal === null);
  const isRefusedInPart = going.length < plan.plans.length;
  if (isJson) {
    printJsonLine({ type: "plan", ...plan });
    // Nobody is asked to confirm what they have not seen.
    if (!dryRun && !yes) note(renderPlan(plan.image, plan.plans, look));
  } else {
    print([...renderPlan(plan.image, plan.plans, look), ""]);
  }
  if (dryRun) {
    if (!isJson) note(["Dry run; nothing was erased or written."]);
    return isRefusedInPart ? exitCode.failed : exitCode.done;
  }
  if (going.length === 0) throw new Failure("invalid", "every node was refused; nothing was erased");
  if (!yes && !(await confirm(context, renderEraseQuestion(plan.image, plan.plans)))) {
    note(["Not confirmed; nothing was erased."]);
    return exitCode.failed;
  }

  // Exactly what was shown: nodes accepted since the plan was made are not in it, and refused ones are left out.
  const chosen = going.map(({ nodeId }) => nodeId);
  const rollout = { nodes: chosen, all: false, imageName: plan.image.name, ...how };
  const rolloutId = newRolloutId(effects.clock.now(), effects.random);
  try {
    await startRollout(context, { rolloutId, rollout });
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
    return isRefusedInPart ? exitCode.failed : exitCode.done;
  }
  const code = await watchRollout(context, rolloutId, true);
  if (!isRefusedInPart) return code;
  const left = plan.plans.filter(({ refusal }) => refusal !== null).map(({ nodeName }) => printable(nodeName));
  note([`Not included, because they were refused (see above): ${left.join(", ")}`]);
  return code === exitCode.done ? exitCode.failed : code;
}

/** Where the root has to end at the latest, in bytes; 0 without a bound. Throws a Failure "invalid". */
function growToBytes(grow: boolean, text: string | undefined): number {
  if (text === undefined) return 0;
  if (!grow) throw new Failure("invalid", "--no-grow and --grow-to exclude each other: give one of them");
  const bytes = parseSize(text);
  if (bytes === undefined)
    throw new Failure("invalid", `--grow-to "${text}" is no size: give one like 16GB or 14.5GiB`);
  return bytes;
}

/** `controller reimage NODE…|--all`. */
export function registerReimage(program: Command, toAction: ToAction): void {
  program
    .command("reimage")
    .description(
      "install an image on nodes and have each prove that it runs it\n\n" +
        "Shows the plan first: which disk of which node would be erased, and what is on it. Once you type yes, each node " +
        "netboots into the agent, which erases the partition table, writes the image, reads it back to verify it, and writes " +
        "the partition table last. The node then reboots from its own card, and is done only when it has proved that it runs " +
        "the image. If you pull the plug at any moment, the node recovers by itself.\n\n" +
        "The proof comes from the resident agent, a small service that the reimage installs into the new system (systemd or " +
        "/etc/inittab). It can only report and reboot; it also brings the node back for its next reimage. With --no-resident " +
        "the image stays untouched, except for firmware that the board would boot before it asks the network (the plan says " +
        "so; see serve --boot-profile-card-firmware), and does not grow unless --grow-to is given. The proof is then weak, and shown as such: after the reboot the node " +
        "fetched the image's kernel and answers on the network. Before its next reimage, reboot or power-cycle it by hand.\n\n" +
        "The rollout runs in the controller: Ctrl-C stops watching, not the rollout. The exit code is 0 only if every node " +
        "is proved (with --no-resident, a weak proof is enough); with --detach, if the rollout started on every node; with " +
        "--dry-run, if no node would be refused.",
    )
    .summary("install an image on nodes and have each prove that it runs it")
    .argument("[nodes...]", nodeHelp)
    .option("--all", "every accepted node")
    .option("--image <name>", "the image (default: the only one in the catalogue)")
    .option("--disk <device>", "the disk to erase on each node (default: the only one that fits)")
    .option("--no-resident", "leave the image untouched: no agent in it, so only a weak proof")
    .option("--full", "rewrite everything, even what the card already has")
    .option(
      "--no-grow",
      "leave the root partition as long as it is in the image, instead of growing it to the card's end",
    )
    .option("--grow-to <size>", "where on the card the root partition ends at the latest (16GB, 14.5GiB)")
    .option("--dry-run", "show what would be erased and written where, then exit")
    .option("--yes", "do not ask before erasing")
    .option("--detach", "start the rollout and exit")
    .option("--json", jsonLinesHelp)
    .addHelpText(
      "after",
      examples(
        ["controller reimage --all --dry-run", "look first"],
        ["controller reimage --all --image debian-12", "asks, then shows a bar per node"],
        ["controller reimage rack-1 rack-2 --disk /dev/mmcblk0 --yes"],
        ["controller reimage --all --yes --json", "for programs: the plan, every change, the result"],
      ),
    )
    .action(toAction<[string[]], Options>(reimage));
}
