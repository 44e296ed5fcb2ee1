import type { Command } from "commander";
import type { ToAction } from "../connection/command-context.ts";
import { noRollouts, renderRollouts } from "../rollout/render-rollouts.ts";
import { viewRollout } from "../view/rollout-view.ts";
import { examples, jsonHelp } from "./option-texts.ts";

/** `controller rollouts`: every rollout. */
export function registerRollouts(program: Command, toAction: ToAction): void {
  program
    .command("rollouts")
    .description("list the rollouts, newest first")
    .option("--json", jsonHelp)
    .addHelpText("after", examples(["controller rollouts"]))
    .action(
      toAction<[], object>(async ({ client, signal, isJson, print, printJson, note, look, effects }) => {
        const rollouts = (await client.listRollouts({}, signal)).rollouts.map(viewRollout);
        if (isJson) printJson(rollouts);
        else if (rollouts.length === 0) note([noRollouts]);
        else print(renderRollouts(rollouts, look, effects.clock.now()));
      }),
    );
}
