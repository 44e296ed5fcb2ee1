import type { Command } from "commander";
import type { ToAction } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { examples, nodeHelp } from "./option-texts.ts";

/** `controller reboot NODE`. */
export function registerReboot(program: Command, toAction: ToAction): void {
  program
    .command("reboot")
    .description("reboot a node, through its agent, into its boot target")
    .argument("<node>", nodeHelp)
    .addHelpText("after", examples(["controller reboot rack-1"]))
    .action(
      toAction<[string], object>(async ({ client, signal, print, hint, commandLine }, _, node) => {
        await client.rebootNode({ node }, signal);
        print([`${printable(node)} is rebooting`]);
        hint([`watch it boot: ${commandLine(`events --follow --node ${printable(node)}`)}`]);
      }),
    );
}
