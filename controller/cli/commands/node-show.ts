import type { Command } from "commander";
import { Failure } from "../../../proto/failure.ts";
import type { ToAction } from "../connection/command-context.ts";
import { renderNode } from "../render/render-nodes.ts";
import { viewNode } from "../view/node-view.ts";
import { areSelected } from "./for-each-node.ts";
import { addNodeChoice, chooseNodes, type NodeChoiceOptions, nodesHelp } from "./node-choice.ts";
import { examples, jsonHelp } from "./option-texts.ts";

/** `controller node show NODE`. */
export function registerNodeShow(parent: Command, toAction: ToAction): void {
  const command = parent
    .command("show")
    .description("show everything known about nodes")
    .argument("[nodes...]", nodesHelp)
    .option("--json", `${jsonHelp}; of selected nodes an array`);
  addNodeChoice(command, "every node known now")
    .addHelpText(
      "after",
      examples(
        ["controller node show rack-1"],
        ["controller node show b8:27:eb:00:00:01 --json"],
        ["controller node show -l shelf=2"],
      ),
    )
    .action(
      toAction<[string[]], NodeChoiceOptions>(async (context, options, nodes) => {
        const { client, signal, isJson, print, printJson, look, effects } = context;
        const chosen = await chooseNodes(context, "show", { options, nodes, acceptedOnly: false });
        const views = await Promise.all(
          chosen.map(async ({ node: id, name, known }) => {
            const node = known ?? (await client.getNode({ node: id }, signal)).node;
            if (node === undefined) throw new Failure("internal", `the controller's answer lacks the node ${name}`);
            return viewNode(node);
          }),
        );
        if (isJson) printJson(areSelected(chosen) ? views : views[0]);
        else
          for (const [index, view] of views.entries())
            print([...(index === 0 ? [] : [""]), ...renderNode(view, look, effects.clock.now())]);
        return undefined;
      }),
    );
}
