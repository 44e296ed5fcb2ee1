import type { Command } from "commander";
import { problemOfLabelChanges, renderLabels } from "../../nodes/label.ts";
import { type ToAction, UsageError } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { viewNode } from "../view/node-view.ts";
import {
  addNodeChoice,
  type NodeChoiceOptions,
  requireNodeChoice,
  selectorTextOf,
  selectorToWire,
} from "./node-choice.ts";
import { examples, jsonHelp } from "./option-texts.ts";

interface Options extends NodeChoiceOptions {
  readonly overwrite?: boolean;
}

/** Words that name nodes, and those that change labels, as kubectl tells them apart: by "=" or a "-" at the end. */
export function splitLabelWords(words: readonly string[]): {
  readonly nodes: readonly string[];
  readonly set: readonly { readonly key: string; readonly value: string }[];
  readonly remove: readonly string[];
} {
  const changes = words.filter(isChange);
  return {
    nodes: words.filter((word) => !isChange(word)),
    set: changes.filter((word) => word.includes("=")).map(pairOf),
    remove: changes.filter((word) => !word.includes("=")).map((word) => word.slice(0, -1)),
  };
}

/** No name of a node, MAC address or serial number is written like this. */
function isChange(word: string): boolean {
  return word.includes("=") || (word.endsWith("-") && word.length > 1);
}

function pairOf(word: string) {
  const sign = word.indexOf("=");
  return { key: word.slice(0, sign), value: word.slice(sign + 1) };
}

/** `controller node label NODE… KEY=VALUE… KEY-…`. */
export function registerNodeLabel(parent: Command, toAction: ToAction): void {
  const command = parent
    .command("label")
    .description(
      "set and remove labels of nodes\n\n" +
        "KEY=VALUE sets a label, KEY- removes it. Wherever nodes are taken, -l chooses them by their labels. Keys and values " +
        'are Kubernetes\': at most 63 letters, digits, "-", "_" and "."; before a key a DNS name and "/" may stand. Labels are ' +
        "kept until they are removed or the node is forgotten.",
    )
    .summary("set and remove labels of nodes")
    .argument("<words...>", "nodes, and KEY=VALUE or KEY-")
    .usage("[options] [NODE...] KEY=VALUE|KEY-...")
    .option("--overwrite", "change the value of a label that a node has already")
    .option("--json", jsonHelp);
  addNodeChoice(command, "every node known now")
    .addHelpText(
      "after",
      examples(
        ["controller node label rack-1 rack-2 rack=a shelf=2"],
        ["controller node label 'rack-*' shelf-", "removes the label shelf"],
        ["controller node label --all -l '!rack' rack=spare"],
        ["controller reimage -l rack=a --dry-run", "what labels are for"],
      ),
    )
    .action(
      toAction<[string[]], Options>(async (context, options, words) => {
        const { client, signal, isJson, print, printJson, note } = context;
        const { nodes, set, remove } = splitLabelWords(words);
        const text = selectorTextOf(options, nodes);
        requireNodeChoice("label", text);
        const problem = problemOfLabelChanges({
          set: Object.fromEntries(set.map(({ key, value }) => [key, value])),
          remove,
        });
        if (problem !== undefined) throw new UsageError(problem);
        const request = { selector: selectorToWire(text), set: [...set], remove: [...remove] };
        const answer = await client.labelNodes({ ...request, overwrite: options.overwrite === true }, signal);
        const labelled = answer.nodes.map(viewNode);
        if (isJson) printJson(labelled);
        else if (labelled.length === 0) note(["no node matches; nothing was labelled"]);
        else
          print(
            labelled.map(
              ({ name, labels }) => `${printable(name)} has ${printable(renderLabels(labels) || "no labels")}`,
            ),
          );
        return undefined;
      }),
    );
}
