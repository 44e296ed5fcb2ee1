import type { Command } from "commander";
import { sortedByName } from "../../../proto/names/natural-order.ts";
import { bootTargets } from "../../../proto/words/boot-target.ts";
import { type CommandContext, type ToAction, UsageError } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { exitCode } from "../terminal/exit-code.ts";
import { type NodeView, viewNode } from "../view/node-view.ts";
import { areSelected, confirmNodes, forEachNode } from "./for-each-node.ts";
import { addNodeChoice, chooseNodes, type NodeChoiceOptions, nodesHelp, splitLast } from "./node-choice.ts";
import { examples, jsonHelp } from "./option-texts.ts";

interface Options extends NodeChoiceOptions {
  readonly image?: string;
  readonly force?: boolean;
  readonly yes?: boolean;
}

/** `controller boot NODE agent|local`. */
export function registerBoot(program: Command, toAction: ToAction): void {
  const command = program
    .command("boot")
    .description(
      "set where a node's next boot goes\n\n" +
        "agent: netboot into the shared root filesystem, where the agent runs. local: boot from the node's own card, with " +
        "the kernel of the image that is on it; refused for a card that was erased and not written since. This does not " +
        "reboot the node.",
    )
    .summary("set where a node's next boot goes")
    .argument("<words...>", `nodes (${nodesHelp}), then agent or local`)
    .usage("[options] [NODE...] agent|local")
    .option(
      "--image <image>",
      "for local: the image whose kernel to serve (default: the one that the node last proved)",
    )
    .option("--force", "for local: there is a system on the card, although Pallet knows it as erased")
    .option("--yes", "do not ask, although it concerns several nodes")
    .option("--json", jsonHelp);
  addNodeChoice(command, "every accepted node")
    .addHelpText(
      "after",
      examples(
        ["controller boot rack-1 agent && controller reboot rack-1", "bring it back to the agent"],
        ["controller boot rack-1 local --image debian-12"],
        ["controller boot -l shelf=2 agent", "asks, with the names"],
      ),
    )
    .action(toAction<[string[]], Options>(boot));
}

async function boot(context: CommandContext, options: Options, words: readonly string[]): Promise<number> {
  const { client, signal, isJson, print, printJson, note } = context;
  const { image, force = false, yes } = options;
  const { nodes, last: target } = splitLast(words, "target");
  if (target !== "agent" && target !== "local")
    throw new UsageError(`the boot target is ${JSON.stringify(target)}. Allowed choices are agent, local.`);
  if (image !== undefined && target === "agent") throw new UsageError("--image is only valid with local");
  if (force && target === "agent") throw new UsageError("--force is only valid with local");
  const chosen = await chooseNodes(context, "boot", { options, nodes, acceptedOnly: true });
  if (!(await confirmNodes(context, chosen, { verb: `Boot ${target} next on`, yes }))) return exitCode.failed;
  const set: NodeView[] = [];
  const code = await forEachNode(context, chosen, async ({ node: id, name }) => {
    const { node, warning } = await client.setBootTarget(
      { node: id, bootTarget: bootTargets.toWire(target), imageName: image ?? "", force },
      signal,
    );
    if (warning !== "") note([printable(warning)]);
    if (node !== undefined) set.push(viewNode(node));
    if (!isJson) print([`${printable(node?.name ?? name)} boots ${target} next`]);
    return undefined;
  });
  if (isJson) printJson(areSelected(chosen) ? sortedByName(set) : set[0]);
  return code;
}
