import type { Command } from "commander";
import type { ToAction } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { exitCode } from "../terminal/exit-code.ts";
import { forgetNode } from "../terminal/forget-node.ts";
import { confirmNodes, forEachNode } from "./for-each-node.ts";
import { addNodeChoice, type ChosenNode, chooseNodes, type NodeChoiceOptions, nodesHelp } from "./node-choice.ts";
import { examples } from "./option-texts.ts";

interface Options extends NodeChoiceOptions {
  readonly yes?: boolean;
}

/** `controller node forget NODE`. */
export function registerNodeForget(parent: Command, toAction: ToAction): void {
  const command = parent
    .command("forget")
    .description(
      "forget nodes: name, acceptance, labels, boot target and log. When one registers or boots again, it is " +
        "discovered as a new node; a running system that Pallet installed, whose image is in the catalogue, is then " +
        "restored from its stamp. Asks where a node is online or has proved what it runs, and where there are several",
    )
    .summary("forget nodes")
    .argument("[nodes...]", nodesHelp)
    .option("--yes", "do not ask, although a node is online or has proved what it runs, or there are several");
  addNodeChoice(command, "every node known now")
    .addHelpText(
      "after",
      examples(
        ["controller node forget rack-7", "the board has left the rack"],
        ["controller node forget --discovered --unaccepted", "boards that only asked for files"],
      ),
    )
    .action(
      toAction<[string[]], Options>(async (context, options, nodes) => {
        const { yes } = options;
        const chosen = await chooseNodes(context, "forget", { options, nodes, acceptedOnly: false });
        const warnings = consequencesOf(chosen);
        if (!(await confirmNodes(context, chosen, { verb: "Forget", yes, warnings }))) return exitCode.failed;
        // What several lose was shown and confirmed already.
        return await forEachNode(context, chosen, async ({ node, name }) =>
          (await forgetNode(context, node, yes === true || chosen.length > 1, name)) ? exitCode.done : exitCode.failed,
        );
      }),
    );
}

/** What is lost with nodes, beside their names and labels. */
function consequencesOf(chosen: readonly ChosenNode[]): readonly string[] {
  const list = (found: readonly ChosenNode[], what: string): readonly string[] =>
    found.length === 0 ? [] : [`${what}: ${found.map(({ name }) => printable(name)).join(", ")}`];
  return [
    ...list(
      chosen.filter(({ known }) => known?.online === true),
      "Online",
    ),
    ...list(
      chosen.filter(({ known }) => (known?.provedImageName ?? "") !== ""),
      "With a proved system, which goes to the installer at its next boot unless its stamp restores it",
    ),
  ];
}
