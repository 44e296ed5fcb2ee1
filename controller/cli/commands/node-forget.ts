import type { Command } from "commander";
import type { ToAction } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { examples, nodeHelp } from "./option-texts.ts";

/** `controller node forget NODE`. */
export function registerNodeForget(parent: Command, toAction: ToAction): void {
  parent
    .command("forget")
    .description(
      "forget a node: its name, acceptance and boot target. When it boots again, it is discovered as a new node",
    )
    .argument("<node>", nodeHelp)
    .addHelpText("after", examples(["controller node forget rack-7", "the board has left the rack"]))
    .action(
      toAction<[string], object>(async ({ client, signal, print }, _, node) => {
        await client.forgetNode({ node }, signal);
        print([`forgot ${printable(node)}`]);
      }),
    );
}
