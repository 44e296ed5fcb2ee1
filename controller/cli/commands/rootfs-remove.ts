import type { Command } from "commander";
import type { ToAction } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { examples } from "./option-texts.ts";

/** `controller rootfs remove VERSION`. */
export function registerRootfsRemove(parent: Command, toAction: ToAction): void {
  parent
    .command("remove")
    .alias("rm")
    .description("remove a version of the root filesystem; refused while a node uses it")
    .argument("<version>", "its id, as controller rootfs list shows it")
    .option(
      "--force",
      "also if a node that is not heard now may still run from it: it would hang until it is power-cycled",
    )
    .addHelpText("after", examples(["controller rootfs remove 20261128-221500-3fa9c1d2"]))
    .action(
      toAction<[string], { readonly force?: true }>(async ({ client, signal, print }, { force = false }, id) => {
        await client.removeRoot({ id, force }, signal);
        print([`removed ${printable(id)}`]);
      }),
    );
}
