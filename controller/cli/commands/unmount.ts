import { type Command, Option } from "commander";
import type { ToAction } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { runOperation } from "../terminal/run-operation.ts";
import { forEachNode } from "./for-each-node.ts";
import {
  addNodeChoice,
  chooseNodes,
  type NodeChoiceOptions,
  nodesHelp,
  requireNodeChoice,
  selectorTextOf,
  splitLast,
} from "./node-choice.ts";
import { examples, jsonLinesHelp } from "./option-texts.ts";

/** `controller unmount NODE DEVICE`. */
export function registerUnmount(program: Command, toAction: ToAction): void {
  const command = program
    .command("unmount")
    .description("unmount a device and everything on it, and disable its swap")
    .argument("<words...>", `nodes (${nodesHelp}), then the absolute path of a disk or partition`)
    .usage("[options] [NODE...] DEVICE")
    .option("--json", jsonLinesHelp)
    // Nothing is lost, so nothing is asked; accepted so that scripts can treat it like wipe and mkfs.
    .addOption(new Option("--yes", "do not ask").hideHelp());
  addNodeChoice(command, "every accepted node")
    .addHelpText("after", examples(["controller unmount rack-1 /dev/mmcblk0"]))
    .action(
      toAction<[string[]], NodeChoiceOptions>(async (context, options, words) => {
        const { nodes, last: device } = splitLast(words, "device");
        requireNodeChoice("unmount a device of", selectorTextOf(options, nodes));
        const chosen = await chooseNodes(context, "unmount a device of", { options, nodes, acceptedOnly: true });
        return await forEachNode(context, chosen, ({ node, name }) =>
          runOperation(context, {
            ...{ node, name, isOneOfSeveral: chosen.length > 1, device },
            work: { $case: "unmount", value: { device } },
            success: `unmounted ${printable(device)} of ${printable(name)}`,
          }),
        );
      }),
    );
}
