import { type Command, InvalidArgumentError } from "commander";
import { closestWord } from "../../../proto/names/closest-word.ts";
import { problemOfLabelKey } from "../../nodes/label.ts";
import type { CommandContext, CommonOptions, ToAction } from "../connection/command-context.ts";
import { labelField, sortFields, sortNodes } from "../render/node-columns.ts";
import {
  noNodes,
  renderImagelessHint,
  renderNodes,
  renderNodesHint,
  renderReplacedHint,
  renderTroubles,
  selectImageless,
} from "../render/render-nodes.ts";
import { viewNode } from "../view/node-view.ts";
import { addListFormat, printList } from "./list-format.ts";
import {
  addNodeChoice,
  describeNone,
  type NodeChoiceOptions,
  nodesHelp,
  requireNodeChoice,
  selectNodes,
  selectorTextOf,
} from "./node-choice.ts";
import { examples } from "./option-texts.ts";

type Options = CommonOptions &
  NodeChoiceOptions & {
    readonly showLabels?: boolean;
    readonly sortBy?: string;
  };

async function list(context: CommandContext, options: Options, named: readonly string[]): Promise<undefined> {
  const { client, signal, note, hint, effects } = context;
  const text = selectorTextOf(options, named);
  const isEvery = named.length === 0 && text.labelSelector === "" && text.states.length === 0;
  if (!isEvery) requireNodeChoice("list", text);
  const found = isEvery ? (await client.listNodes({}, signal)).nodes : await selectNodes(context, text, false);
  // They come by name.
  const nodes = options.sortBy === undefined ? found.map(viewNode) : sortNodes(found.map(viewNode), options.sortBy);
  const isTable = printList(context, options, {
    views: nodes,
    nameOf: ({ name }) => name,
    none: isEvery ? noNodes : describeNone(text, false),
    table: (views, look, isWide) =>
      renderNodes(views, look, effects.clock.now(), { labels: options.showLabels === true, wide: isWide }),
  });
  if (!isTable) return undefined;
  hint(renderTroubles(nodes, effects.clock.now()));
  hint(renderNodesHint(nodes));
  note(renderReplacedHint(nodes));
  // Only where it may matter is it worth another question.
  if (selectImageless(nodes, new Set()).length > 0) {
    const { images } = await client.listImages({}, signal);
    note(renderImagelessHint(selectImageless(nodes, new Set(images.map(({ digest }) => digest)))));
  }
  return undefined;
}

function parseSortField(text: string): string {
  if (sortFields.includes(text)) return text;
  if (text.startsWith(labelField)) {
    const problem = problemOfLabelKey(text.slice(labelField.length));
    if (problem === undefined) return text;
    throw new InvalidArgumentError(problem);
  }
  const meant = closestWord(text, sortFields);
  throw new InvalidArgumentError(
    `${meant === undefined ? "" : `Did you mean ${meant}? `}It is one of ${sortFields.join(", ")}, or ${labelField}KEY.`,
  );
}

function listing(command: Command, toAction: ToAction): Command {
  addListFormat(
    command.argument("[nodes...]", nodesHelp).option("--show-labels", "show the labels of each node"),
  ).option(
    "--sort-by <field>",
    `in the order of ${sortFields.join(", ")}, or label:KEY (default: name); nodes without it come last`,
    parseSortField,
  );
  return addNodeChoice(command, "every node, as without any of these").action(toAction<[string[]], Options>(list));
}

/** `controller nodes`, also as `controller node list`. */
export function registerNodes(program: Command, toAction: ToAction): void {
  listing(
    program
      .command("nodes")
      .description(
        "list the nodes\n\n" +
          "A node appears when it first asks for a boot file. STATUS is online (its agent reports), silent (its agent has " +
          "stopped reporting), or discovered (it has asked for files, but no agent has reported yet); or what keeps it from being " +
          "heard: registration refused, boot loop, transfers die, not up (it hangs, or has no network). RUNS is what the agent " +
          "says it runs, BOOTS is its boot target, PROVED is the image that it last proved to run from its own card. Narrow " +
          "terminals omit the rightmost columns.",
      )
      .summary("list the nodes"),
    toAction,
  ).addHelpText(
    "after",
    examples(
      ["controller nodes"],
      ["controller nodes --offline", "which nodes are offline?"],
      ["controller nodes 'rack-*' -l shelf=2 --failed", "the failed ones on shelf 2"],
      ["controller nodes -o wide --sort-by label:rack"],
      ["controller nodes --failed -o name | xargs -n 1 controller node logs"],
      ["controller nodes --json | jq -r '.[].facts.serial'"],
    ),
  );
}

/** `controller node list`: the same command where kubectl and docker have taught people to look for it. */
export function registerNodeList(parent: Command, toAction: ToAction): void {
  listing(parent.command("list").alias("ls").description("list the nodes, as `controller nodes` does"), toAction);
}
