import type { Command } from "commander";
import { importRootfs } from "../../rootfs/import-rootfs.ts";
import type { Run } from "../command-context.ts";
import { examples, jsonHelp } from "../option-texts.ts";
import { printable } from "../printable.ts";
import { formatCount } from "../units.ts";

/** `controller rootfs import IMAGE`. */
export function registerRootfsImport(parent: Command, run: Run): void {
  parent
    .command("import")
    .description(
      "unpack the root filesystem of an image into a folder\n\n" +
        "Owners, modes, times, links, devices and extended attributes are kept. The image must not be compressed, and its " +
        "root must be ext2, ext3 or ext4. Bake the agent into it next. Needs root and loop devices.",
    )
    .summary("unpack the root filesystem of an image")
    .argument("<image>", "image file (.img) of a card")
    .requiredOption("--out <folder>", "gets the root filesystem; must not exist yet, or be empty")
    .option("--json", jsonHelp)
    .addHelpText("after", examples(["controller rootfs import raspios-lite.img --out raspios-root"]))
    .action(
      run<[string], { readonly out: string }>(async ({ signal, isJson, print, printJson }, { out }, image) => {
        const imported = await importRootfs({ imagePath: image, outDirectory: out, signal });
        if (isJson) return void printJson(imported);
        print([
          `unpacked partition ${imported.partition} of ${printable(image)} into ${printable(out)}: ${formatCount(imported.files, "file")}`,
        ]);
      }),
    );
}
