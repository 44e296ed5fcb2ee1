import type { Command } from "commander";
import { Failure } from "../../../proto/failure.ts";
import type { ToAction } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { formatCount } from "../render/units.ts";
import { renderCancel } from "../rollout/render-cancel.ts";
import { isOver } from "../rollout/rollout-progress.ts";
import { hasEnded, viewRollout } from "../view/rollout-view.ts";
import { examples, jsonHelp } from "./option-texts.ts";

/** `controller cancel ID`. */
export function registerCancel(program: Command, toAction: ToAction): void {
  program
    .command("cancel")
    .description(
      "cancel the unfinished part of a rollout\n\n" +
        "Nodes whose cards were not touched yet get their boot target back, and go back into the systems that they left " +
        "for the rollout. A card that is being written is left without a partition table, so that no firmware boots half " +
        "a system; the node's next boot goes to the agent. Nodes that have already proved the image keep it. What was " +
        "done is counted; `rollout show` has the verdict on each card.",
    )
    .summary("cancel the unfinished part of a rollout")
    .argument("<rollout>", "id of the rollout")
    .option("--json", jsonHelp)
    .addHelpText("after", examples(["controller cancel 20261123-001705-k3f9"]))
    .action(
      toAction<[string], object>(
        async ({ client, signal, isJson, print, printJson, hint, commandLine }, _, rolloutId) => {
          const { rollout, summary } = await client.cancelRollout({ rolloutId }, signal);
          if (rollout === undefined)
            throw new Failure("internal", `the controller's answer lacks the rollout ${rolloutId}`);
          const view = viewRollout(rollout);
          const open = view.reimages.filter((reimage) => !isOver(reimage)).length;
          if (isJson) printJson({ ...view, summary: summary ?? null });
          else if (hasEnded(view))
            print([
              `rollout ${printable(view.rolloutId)} has ended: ${view.state}`,
              ...(summary === undefined ? [] : renderCancel(summary)),
            ]);
          else {
            print([
              `cancelling rollout ${printable(view.rolloutId)}: ${formatCount(open, "node")} to stop`,
              ...(summary === undefined ? [] : renderCancel(summary)),
            ]);
            hint([`watch it end: ${commandLine(`watch ${printable(view.rolloutId)}`)}`]);
          }
        },
      ),
    );
}
