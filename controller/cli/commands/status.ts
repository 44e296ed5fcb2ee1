import type { Command } from "commander";
import type { ToAction } from "../connection/command-context.ts";
import { renderStatus } from "../render/render-status.ts";
import { viewNode } from "../view/node-view.ts";
import { viewRollout } from "../view/rollout-view.ts";
import { viewStatus } from "../view/status-view.ts";
import { examples, jsonHelp } from "./option-texts.ts";

/** `controller status`: the controller and what it manages. */
export function registerStatus(program: Command, toAction: ToAction): void {
  program
    .command("status")
    .description("show where the controller listens and what it manages")
    .option("--json", jsonHelp)
    .addHelpText("after", examples(["controller status", "exit code 0 if a controller answers"]))
    .action(
      toAction<[], object>(async ({ client, signal, target, isJson, print, printJson, look, effects }) => {
        const [status, nodes, images, rollouts] = await Promise.all([
          client.getStatus({}, signal),
          client.listNodes({}, signal),
          client.listImages({}, signal),
          client.listRollouts({}, signal),
        ]);
        const view = viewStatus(
          target,
          status,
          nodes.nodes.map(viewNode),
          images.images.length,
          rollouts.rollouts.map(viewRollout),
        );
        if (isJson) printJson(view);
        else print(renderStatus(view, look, effects.clock.now()));
      }),
    );
}
