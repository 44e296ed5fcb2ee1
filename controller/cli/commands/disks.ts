import type { Command } from "commander";
import type { ToAction } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { renderDisks } from "../render/render-disks.ts";
import { type DiskView, viewDisk } from "../view/disk-view.ts";
import { areSelected, forEachNode } from "./for-each-node.ts";
import { addNodeChoice, chooseNodes, type NodeChoiceOptions, nodesHelp } from "./node-choice.ts";
import { examples, jsonHelp } from "./option-texts.ts";

/** `controller disks NODE…`. */
export function registerDisks(program: Command, toAction: ToAction): void {
  const command = program
    .command("disks")
    .description("list the disks and partitions of nodes, as their agents see them now")
    .argument("[nodes...]", nodesHelp)
    .option("--json", `${jsonHelp}; of selected nodes an array with the disks of each`);
  addNodeChoice(command, "every node known now")
    .addHelpText("after", examples(["controller disks rack-1"], ["controller disks 'rack-*' --online"]))
    .action(
      toAction<[string[]], NodeChoiceOptions>(async (context, options, nodes) => {
        const { client, signal, isJson, print, printJson, note, look } = context;
        const chosen = await chooseNodes(context, "list the disks of", { options, nodes, acceptedOnly: false });
        const found = new Map<string, readonly DiskView[]>();
        const code = await forEachNode(context, chosen, async ({ node }) => {
          found.set(node, (await client.listNodeDisks({ node }, signal)).devices.map(viewDisk));
          return undefined;
        });
        if (isJson) {
          const all = chosen.map(({ node, name }) => ({ nodeId: node, name, disks: found.get(node) ?? null }));
          printJson(areSelected(chosen) ? all : all[0]?.disks);
          return code;
        }
        for (const { node, name } of chosen) {
          const disks = found.get(node);
          if (disks === undefined) continue;
          if (chosen.length > 1) print([`${printable(name)}:`]);
          if (disks.length === 0) note([`${printable(name)} has no disks: is a card inserted?`]);
          else print(renderDisks(disks, look));
        }
        return code;
      }),
    );
}
