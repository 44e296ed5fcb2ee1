import { type Command, Option } from "commander";
import type { ToAction } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { runOperation } from "../terminal/run-operation.ts";
import { examples, jsonLinesHelp, nodeHelp } from "./option-texts.ts";

/** `controller unmount NODE DEVICE`. */
export function registerUnmount(program: Command, toAction: ToAction): void {
  program
    .command("unmount")
    .description("unmount a device and everything on it, and disable its swap")
    .argument("<node>", nodeHelp)
    .argument("<device>", "absolute path of a disk or partition")
    .option("--json", jsonLinesHelp)
    // Nothing is lost, so nothing is asked; accepted so that scripts can treat it like wipe and mkfs.
    .addOption(new Option("--yes", "do not ask").hideHelp())
    .addHelpText("after", examples(["controller unmount rack-1 /dev/mmcblk0"]))
    .action(
      toAction<[string, string], object>((context, _, node, device) =>
        runOperation(context, {
          node,
          work: { $case: "unmount", value: { device } },
          device,
          success: `unmounted ${printable(device)} of ${printable(node)}`,
        }),
      ),
    );
}
