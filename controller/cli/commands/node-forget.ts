import type { Command } from "commander";
import type { ToAction } from "../connection/command-context.ts";
import { exitCode } from "../terminal/exit-code.ts";
import { forgetNode } from "../terminal/forget-node.ts";
import { examples, nodeHelp } from "./option-texts.ts";

/** `controller node forget NODE`. */
export function registerNodeForget(parent: Command, toAction: ToAction): void {
  parent
    .command("forget")
    .description(
      "forget a node: its name, acceptance, labels, boot target and log. When it registers or boots again, it is " +
        "discovered as a new node; a running system that Pallet installed, whose image is in the catalogue, is then " +
        "restored from its stamp. Asks where the node is online or has proved what it runs",
    )
    .argument("<node>", nodeHelp)
    .option("--yes", "do not ask, although the node is online or has proved what it runs")
    .addHelpText("after", examples(["controller node forget rack-7", "the board has left the rack"]))
    .action(
      toAction<[string], { readonly yes?: boolean }>(async (context, { yes }, node) =>
        (await forgetNode(context, node, yes)) ? exitCode.done : exitCode.failed,
      ),
    );
}
