import type { Command } from "commander";
import type { ToAction } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { renderTasksTable } from "../render/render-tasks-table.ts";
import { shellWord } from "../render/shell-word.ts";
import { viewNode } from "../view/node-view.ts";
import { forEachNode } from "./for-each-node.ts";
import {
  addNodeChoice,
  chooseNodes,
  type NodeChoiceOptions,
  nodesHelp,
  selectNodes,
  selectorTextOf,
} from "./node-choice.ts";
import { examples, jsonHelp } from "./option-texts.ts";

/** How many nodes a hint names. */
const mostNamed = 8;

/** `controller tasks`: the first-boot tasks of nodes. */
export function registerTasks(program: Command, toAction: ToAction): void {
  const tasks = program
    .command("tasks")
    .description("list the first-boot tasks of nodes, or try again what failed of them")
    .helpCommand(false);
  registerTasksList(tasks, toAction);
  registerTasksRetry(tasks, toAction);
}

function registerTasksList(parent: Command, toAction: ToAction): void {
  const command = parent
    .command("list")
    .alias("ls")
    .description(
      "list the first-boot tasks of nodes\n\n" +
        "As the agents in their systems reported them last: how far each is, how often it was started (more than once after a " +
        "power cut), and of one that failed why, and what it wrote last.",
    )
    .summary("list the first-boot tasks of nodes")
    .argument("[nodes...]", `${nodesHelp} (default: every node)`)
    .option("--json", jsonHelp);
  addNodeChoice(command, "every node")
    .addHelpText("after", examples(["controller tasks list"], ["controller tasks list rack-1 --json"]))
    .action(
      toAction<[string[]], NodeChoiceOptions>(async (context, options, nodes) => {
        const { client, signal, isJson, print, printJson, look } = context;
        const text = selectorTextOf(options, nodes);
        const isEvery = text.nodes.length === 0 && text.states.length === 0 && text.labelSelector === "";
        const found = isEvery ? (await client.listNodes({}, signal)).nodes : await selectNodes(context, text, false);
        const views = found.map(viewNode);
        if (isJson) printJson(views.map(({ nodeId, name, agent }) => ({ nodeId, name, tasks: agent?.tasks ?? null })));
        else print(renderTasksTable(views, look));
        return undefined;
      }),
    );
}

function registerTasksRetry(parent: Command, toAction: ToAction): void {
  const command = parent
    .command("retry")
    .description(
      "try failed first-boot tasks of nodes again\n\n" +
        "Each node goes on from its task that failed; those that have succeeded are not run again, and nothing else is run: " +
        "what a node's tasks are was decided when it was reimaged. The command does not wait for their end.",
    )
    .summary("try failed first-boot tasks of nodes again")
    .argument("[nodes...]", nodesHelp);
  addNodeChoice(command, "every accepted node")
    .addHelpText("after", examples(["controller tasks retry rack-1"], ["controller tasks retry --failed"]))
    .action(
      toAction<[string[]], NodeChoiceOptions>(async (context, options, nodes) => {
        const { client, signal, print, hint, commandLine } = context;
        const chosen = await chooseNodes(context, "tasks retry", { options, nodes, acceptedOnly: true });
        const code = await forEachNode(context, chosen, async ({ node, name }) => {
          await client.retryTasks({ node }, signal);
          print([`${printable(name)} tries its failed tasks again`]);
          return undefined;
        });
        // Of more, nobody wants to see every name again.
        const whom = chosen.length > mostNamed ? [] : chosen.map(({ name }) => shellWord(printable(name)));
        hint([`see how far they are: ${commandLine(["tasks list", ...whom].join(" "))}`]);
        return code;
      }),
    );
}
