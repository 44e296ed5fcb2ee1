import type { Command } from "commander";
import type { ToAction } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { examples, nodeHelp } from "./option-texts.ts";

/** `controller node rename NODE NAME`. */
export function registerNodeRename(parent: Command, toAction: ToAction): void {
  parent
    .command("rename")
    .description("rename a node: 1 to 63 of [a-z0-9-], starting with a letter")
    .argument("<node>", nodeHelp)
    .argument("<name>", "the new name")
    .addHelpText("after", examples(["controller node rename b8:27:eb:00:00:01 rack-1"]))
    .action(
      toAction<[string, string], object>(async ({ client, signal, print }, _, node, name) => {
        const renamed = await client.renameNode({ node, name }, signal);
        const id = renamed.node?.nodeId ?? node;
        print([`${printable(id)} is now called ${printable(renamed.node?.name ?? name)}`]);
      }),
    );
}
