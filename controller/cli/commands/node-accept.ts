import type { Command } from "commander";
import type { ToAction } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { noNodes } from "../render/render-nodes.ts";
import {
  addNodeChoice,
  chooseNodes,
  type NodeChoiceOptions,
  nodesHelp,
  requireNodeChoice,
  selectorTextOf,
} from "./node-choice.ts";
import { examples } from "./option-texts.ts";

/** `controller node accept NODE…|--all`. */
export function registerNodeAccept(parent: Command, toAction: ToAction): void {
  const command = parent
    .command("accept")
    .description(
      "accept nodes, so that --all includes them\n\n" +
        "Any machine that asks for a boot file on the network becomes a node, but `reimage --all` never writes to a node " +
        "that has not been accepted.",
    )
    .summary("accept nodes, so that --all includes them")
    .argument("[nodes...]", nodesHelp);
  addNodeChoice(command, "accept every node known now")
    .addHelpText(
      "after",
      examples(
        ["controller node accept rack-1 rack-2"],
        ["controller node accept 'rack-*'"],
        ["controller node accept --all"],
      ),
    )
    .action(
      toAction<[string[]], NodeChoiceOptions>(async (context, options, nodes) => {
        const { client, signal, print, note } = context;
        const text = selectorTextOf(options, nodes);
        // "Every one" may be none yet, which is no failure.
        const isEvery = text.all && text.labelSelector === "" && text.states.length === 0;
        const chosen = isEvery ? [] : await chooseNodes(context, "accept", { options, nodes, acceptedOnly: false });
        if (isEvery) requireNodeChoice("accept", text);
        const request = { nodes: chosen.map(({ node }) => node), all: isEvery };
        const accepted = (await client.acceptNodes(request, signal)).nodes;
        if (accepted.length === 0) note([noNodes]);
        else print(accepted.map(({ name, nodeId }) => `accepted ${printable(name)} (${printable(nodeId)})`));
      }),
    );
}
