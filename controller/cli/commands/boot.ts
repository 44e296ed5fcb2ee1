import { Argument, type Command } from "commander";
import { bootTargets } from "../../../proto/words/boot-target.ts";
import { type ToAction, UsageError } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { viewNode } from "../view/node-view.ts";
import { examples, jsonHelp, nodeHelp } from "./option-texts.ts";

/** `controller boot NODE agent|local`. */
export function registerBoot(program: Command, toAction: ToAction): void {
  program
    .command("boot")
    .description(
      "set where a node's next boot goes\n\n" +
        "agent: netboot into the shared root filesystem, where the agent runs. local: boot from the node's own card, with " +
        "the kernel of the image that is on it; refused for a card that was erased and not written since. This does not " +
        "reboot the node.",
    )
    .summary("set where a node's next boot goes")
    .argument("<node>", nodeHelp)
    .addArgument(new Argument("<target>", "where").choices(["agent", "local"]))
    .option("--image <name>", "for local: the image whose kernel to serve (default: the one that the node last proved)")
    .option("--force", "for local: there is a system on the card, although Pallet knows it as erased")
    .option("--json", jsonHelp)
    .addHelpText(
      "after",
      examples(
        ["controller boot rack-1 agent && controller reboot rack-1", "bring it back to the agent"],
        ["controller boot rack-1 local --image debian-12"],
      ),
    )
    .action(
      toAction<[string, string], { readonly image?: string; readonly force?: boolean }>(
        async ({ client, signal, isJson, print, printJson, note }, { image, force = false }, name, target) => {
          if (image !== undefined && target === "agent") throw new UsageError("--image is only valid with local");
          if (force && target === "agent") throw new UsageError("--force is only valid with local");
          const { node, warning } = await client.setBootTarget(
            {
              node: name,
              bootTarget: bootTargets.toWire(target === "local" ? "local" : "agent"),
              imageName: image ?? "",
              force,
            },
            signal,
          );
          if (warning !== "") note([printable(warning)]);
          if (isJson && node !== undefined) printJson(viewNode(node));
          else print([`${printable(node?.name ?? name)} boots ${target} next`]);
        },
      ),
    );
}
