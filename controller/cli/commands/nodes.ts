import type { Command } from "commander";
import type { ToAction } from "../connection/command-context.ts";
import { noNodes, renderImagelessHint, renderNodes, renderNodesHint, selectImageless } from "../render/render-nodes.ts";
import { viewNode } from "../view/node-view.ts";
import { examples, jsonHelp } from "./option-texts.ts";

/** `controller nodes`: every known node. */
export function registerNodes(program: Command, toAction: ToAction): void {
  program
    .command("nodes")
    .description(
      "list the nodes\n\n" +
        "A node appears when it first asks for a boot file. STATUS is online (its agent reports), silent (its agent has " +
        "stopped reporting), or discovered (it has asked for files, but no agent has reported yet). RUNS is what the agent " +
        "says it runs, BOOTS is its boot target, PROVED is the image that it last proved to run from its own card. Narrow " +
        "terminals omit the rightmost columns.",
    )
    .summary("list the nodes")
    .option("--json", jsonHelp)
    .addHelpText(
      "after",
      examples(
        ["controller nodes"],
        ["controller nodes --json | jq -r '.[] | select(.online | not).name'", "which nodes are offline?"],
      ),
    )
    .action(
      toAction<[], object>(async ({ client, signal, isJson, print, printJson, note, hint, look, effects }) => {
        const nodes = (await client.listNodes({}, signal)).nodes.map(viewNode);
        if (isJson) printJson(nodes);
        else if (nodes.length === 0) note([noNodes]);
        else {
          print(renderNodes(nodes, look, effects.clock.now()));
          hint(renderNodesHint(nodes));
          // Only where it may matter is it worth another question.
          if (selectImageless(nodes, new Set()).length > 0) {
            const { images } = await client.listImages({}, signal);
            note(renderImagelessHint(selectImageless(nodes, new Set(images.map(({ digest }) => digest)))));
          }
        }
      }),
    );
}
