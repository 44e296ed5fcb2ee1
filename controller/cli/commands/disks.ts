import type { Command } from "commander";
import type { ToAction } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { renderDisks } from "../render/render-disks.ts";
import { viewDisk } from "../view/disk-view.ts";
import { examples, jsonHelp, nodeHelp } from "./option-texts.ts";

/** `controller disks NODE`. */
export function registerDisks(program: Command, toAction: ToAction): void {
  program
    .command("disks")
    .description("list a node's disks and partitions, as its agent sees them now")
    .argument("<node>", nodeHelp)
    .option("--json", jsonHelp)
    .addHelpText("after", examples(["controller disks rack-1"]))
    .action(
      toAction<[string], object>(async ({ client, signal, isJson, print, printJson, note, look }, _, node) => {
        const devices = (await client.listNodeDisks({ node }, signal)).devices.map(viewDisk);
        if (isJson) printJson(devices);
        else if (devices.length === 0) note([`${printable(node)} has no disks: is a card inserted?`]);
        else print(renderDisks(devices, look));
      }),
    );
}
