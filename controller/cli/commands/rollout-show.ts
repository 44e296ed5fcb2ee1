import type { Command } from "commander";
import { Failure } from "../../../proto/failure.ts";
import type { ToAction } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { renderRolloutSummary } from "../rollout/render-rollout-summary.ts";
import { renderRolloutTable } from "../rollout/render-rollout-table.ts";
import { hasEnded, viewRollout } from "../view/rollout-view.ts";
import { examples, jsonHelp } from "./option-texts.ts";

/** `controller rollout show ID`: a rollout as it is now. */
export function registerRolloutShow(parent: Command, toAction: ToAction): void {
  parent
    .command("show")
    .description("show the current state of a rollout, without watching it")
    .argument("<rollout>", "id of the rollout")
    .option("--json", jsonHelp)
    .addHelpText("after", examples(["controller rollout show 20261123-001705-k3f9"]))
    .action(
      toAction<[string], object>(async (context, _, rolloutId) => {
        const { client, signal, isJson, print, printJson, look, effects, commandLine } = context;
        for await (const { rollout } of client.watchRollout({ rolloutId }, signal)) {
          if (rollout === undefined) continue;
          const view = viewRollout(rollout);
          const now = effects.clock.now();
          if (isJson) printJson(view);
          else if (hasEnded(view)) print(renderRolloutSummary(view, look, now));
          else
            print([
              ...renderRolloutTable(view, {
                ...look,
                width: look.width ?? 120,
                height: Number.POSITIVE_INFINITY,
                now,
                notice: `watch it: ${commandLine(`watch ${view.rolloutId}`)}`,
              }),
              ...view.reimages.flatMap(({ waitsFor }) => (waitsFor === null ? [] : [printable(waitsFor)])),
            ]);
          return;
        }
        throw new Failure("internal", `the controller's answer lacks the rollout ${rolloutId}`);
      }),
    );
}
