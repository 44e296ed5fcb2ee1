import type { Command } from "commander";
import type { ToAction } from "../connection/command-context.ts";
import { noRollouts, renderRollouts } from "../rollout/render-rollouts.ts";
import { viewRollout } from "../view/rollout-view.ts";
import { addListFormat, printList } from "./list-format.ts";
import { examples } from "./option-texts.ts";

/** `controller rollouts`: every rollout. */
export function registerRollouts(program: Command, toAction: ToAction): void {
  listing(program.command("rollouts").description("list the rollouts, newest first"), toAction).addHelpText(
    "after",
    examples(["controller rollouts"]),
  );
}

/** `controller rollout list`: the same command where kubectl and docker have taught people to look for it. */
export function registerRolloutList(parent: Command, toAction: ToAction): void {
  const description = "list the rollouts, as `controller rollouts` does";
  listing(parent.command("list").alias("ls").description(description), toAction);
}

function listing(command: Command, toAction: ToAction): Command {
  return addListFormat(command).action(
    toAction<[], object>(async (context, options) => {
      const { client, signal, effects } = context;
      printList(context, options, {
        views: (await client.listRollouts({}, signal)).rollouts.map(viewRollout),
        nameOf: ({ rolloutId }) => rolloutId,
        none: noRollouts,
        table: (rollouts, look) => renderRollouts(rollouts, look, effects.clock.now()),
      });
      return undefined;
    }),
  );
}
