import process from "node:process";
import type { Command } from "commander";
import { copyBootTree } from "../../boot-tree/copy-boot-tree.ts";
import { readConfig } from "../../config/read-config.ts";
import type { ToAction } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { renderBootTree } from "../render/render-boot-tree.ts";
import { examples, jsonHelp } from "./option-texts.ts";
import { rootfsPaths } from "./rootfs-options.ts";

interface Options {
  readonly out?: string;
  readonly rootfs?: string;
  readonly overwrite?: true;
}

/** `controller boot-tree copy FOLDER`. */
export function registerBootTreeCopy(parent: Command, toAction: ToAction): void {
  parent
    .command("copy")
    .description(
      "bring in a boot tree that was built elsewhere\n\n" +
        "The Debian package pallet-rack holds one, and does this when it is installed: firmware and U-Boot come from there, " +
        "the agent's kernel and the device trees from the root filesystem of this machine. The folder can be served in the " +
        "meantime. Files that someone else wrote or changed are left alone.",
    )
    .summary("bring in a boot tree that was built elsewhere")
    .argument("<folder>", 'output of "controller boot-tree build --no-rootfs"')
    .option("--out <folder>", "the boot tree (default: bootTree of the configuration)")
    .option("--rootfs <folder>", "the store of the root filesystem (default: /var/lib/pallet/rootfs)")
    .option("--overwrite", "replace files that someone else wrote or changed")
    .option("--json", jsonHelp)
    .addHelpText("after", examples(["controller boot-tree copy /usr/share/pallet/rack/boot"]))
    .action(
      toAction<[string], Options>(async ({ effects, isJson, print, printJson, note }, options, from) => {
        const inputs = { options: {}, env: effects.env, workingDirectory: process.cwd() };
        const outDirectory = options.out ?? (await readConfig(inputs)).bootTree;
        const rootfsDirectory = options.rootfs ?? rootfsPaths().outDirectory;
        const tree = await copyBootTree({ from, outDirectory, rootfsDirectory, overwrite: options.overwrite ?? false });
        if (isJson) return void printJson({ outDirectory, ...tree.plan, ...tree.manifest });
        const { lines, notes } = renderBootTree(printable(outDirectory), tree);
        print(lines);
        note(notes);
      }),
    );
}
