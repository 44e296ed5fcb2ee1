import type { Command } from "commander";
import { Failure } from "../../../proto/failure.ts";
import type { ToAction } from "../connection/command-context.ts";
import { renderNode } from "../render/render-nodes.ts";
import { viewNode } from "../view/node-view.ts";
import { examples, jsonHelp, nodeHelp } from "./option-texts.ts";

/** `controller node show NODE`. */
export function registerNodeShow(parent: Command, toAction: ToAction): void {
  parent
    .command("show")
    .description("show everything known about a node")
    .argument("<node>", nodeHelp)
    .option("--json", jsonHelp)
    .addHelpText("after", examples(["controller node show rack-1"], ["controller node show b8:27:eb:00:00:01 --json"]))
    .action(
      toAction<[string], object>(async ({ client, signal, isJson, print, printJson, look, effects }, _, name) => {
        const { node } = await client.getNode({ node: name }, signal);
        if (node === undefined) throw new Failure("internal", `the controller's answer lacks the node ${name}`);
        const view = viewNode(node);
        if (isJson) printJson(view);
        else print(renderNode(view, look, effects.clock.now()));
      }),
    );
}
