import type { Command } from "commander";
import type { ToAction } from "../connection/command-context.ts";
import { renderKnownHosts } from "../render/render-known-hosts.ts";
import { renderSomeNames } from "../render/some-names.ts";
import { viewNode } from "../view/node-view.ts";
import { addNodeChoice, type NodeChoiceOptions, nodesHelp, selectNodes, selectorTextOf } from "./node-choice.ts";
import { examples } from "./option-texts.ts";

/** `controller ssh known-hosts [NODE…]`. */
export function registerSsh(program: Command, toAction: ToAction): void {
  const ssh = program.command("ssh").description("what ssh has to know of the nodes").helpCommand(false);
  const command = ssh
    .command("known-hosts")
    .description(
      "print the host keys of nodes as lines for known_hosts\n\n" +
        "A system that profiles configure gets host keys of its own, and its write says their public halves; the lines are by the node's " +
        "name, its host name and its address, and not hashed. Nodes without such keys are left out, and named.",
    )
    .summary("print the host keys of nodes as lines for known_hosts")
    .argument("[nodes...]", nodesHelp);
  addNodeChoice(command, "every accepted node, as without any choice")
    .addHelpText(
      "after",
      examples(
        ["controller ssh known-hosts > known_hosts"],
        ["ssh -o UserKnownHostsFile=known_hosts ada@rack-1", "never asks"],
      ),
    )
    .action(
      toAction<[string[]], NodeChoiceOptions>(async (context, options, nodes) => {
        const text = selectorTextOf(options, nodes);
        const isChosen = text.nodes.length > 0 || text.all || text.labelSelector !== "" || text.states.length > 0;
        const found = await selectNodes(context, isChosen ? text : { ...text, all: true }, true);
        const views = found.map(viewNode);
        context.print(renderKnownHosts(views));
        const without = views.filter(({ config }) => (config?.hostKeys.length ?? 0) === 0).map(({ name }) => name);
        if (without.length > 0) context.note([`no host keys are known of ${renderSomeNames(without)}`]);
        return undefined;
      }),
    );
}
