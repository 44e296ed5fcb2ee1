import type { Command } from "commander";
import type { ToAction } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { noNodes } from "../render/render-nodes.ts";
import { examples, nodeHelp } from "./option-texts.ts";
import { requireNodeChoice } from "./require-node-choice.ts";

/** `controller node accept NODE…|--all`. */
export function registerNodeAccept(parent: Command, toAction: ToAction): void {
  parent
    .command("accept")
    .description(
      "accept nodes, so that --all includes them\n\n" +
        "Any machine that asks for a boot file on the network becomes a node, but `reimage --all` never writes to a node " +
        "that has not been accepted.",
    )
    .summary("accept nodes, so that --all includes them")
    .argument("[nodes...]", nodeHelp)
    .option("--all", "accept every node known now")
    .addHelpText("after", examples(["controller node accept rack-1 rack-2"], ["controller node accept --all"]))
    .action(
      toAction<[string[]], { readonly all?: boolean }>(
        async ({ client, signal, print, note }, { all = false }, nodes) => {
          requireNodeChoice("accept", { nodes, all });
          const accepted = (await client.acceptNodes({ nodes, all }, signal)).nodes;
          if (accepted.length === 0) note([noNodes]);
          else print(accepted.map(({ name, nodeId }) => `accepted ${printable(name)} (${printable(nodeId)})`));
        },
      ),
    );
}
