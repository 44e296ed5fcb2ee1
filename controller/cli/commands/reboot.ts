import type { Command } from "commander";
import type { ToAction } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { shellWord } from "../render/shell-word.ts";
import { exitCode } from "../terminal/exit-code.ts";
import { confirmNodes, forEachNode } from "./for-each-node.ts";
import { addNodeChoice, chooseNodes, type NodeChoiceOptions, nodesHelp } from "./node-choice.ts";
import { examples } from "./option-texts.ts";

interface Options extends NodeChoiceOptions {
  readonly yes?: boolean;
}

/** `controller reboot NODE…`. */
export function registerReboot(program: Command, toAction: ToAction): void {
  const command = program
    .command("reboot")
    .description("reboot nodes, through their agents, into their boot targets; asks when there are several")
    .summary("reboot nodes, through their agents, into their boot targets")
    .argument("[nodes...]", nodesHelp)
    .option("--yes", "do not ask, although it concerns several nodes");
  addNodeChoice(command, "every accepted node")
    .addHelpText("after", examples(["controller reboot rack-1"], ["controller reboot 'rack-*' --online"]))
    .action(
      toAction<[string[]], Options>(async (context, options, nodes) => {
        const { client, signal, print, hint, commandLine } = context;
        const chosen = await chooseNodes(context, "reboot", { options, nodes, acceptedOnly: true });
        if (!(await confirmNodes(context, chosen, { verb: "Reboot", yes: options.yes }))) return exitCode.failed;
        const code = await forEachNode(context, chosen, async ({ node, name }) => {
          await client.rebootNode({ node }, signal);
          print([`${printable(name)} is rebooting`]);
          return undefined;
        });
        const [only, ...others] = chosen;
        const whom = only !== undefined && others.length === 0 ? ` --node ${shellWord(printable(only.name))}` : "";
        hint([`watch it boot: ${commandLine(`events --follow${whom}`)}`]);
        return code;
      }),
    );
}
