import type { Command } from "commander";
import type { ToAction } from "../connection/command-context.ts";
import { noRoots, renderRoots } from "../render/render-roots.ts";
import { viewRoot } from "../view/root-view.ts";
import { examples, jsonHelp } from "./option-texts.ts";

/** `controller rootfs list`. */
export function registerRootfsList(parent: Command, toAction: ToAction): void {
  parent
    .command("list")
    .alias("ls")
    .description(
      "list the versions of the root filesystem, and which nodes use them\n\n" +
        "A node keeps the version that it booted with. The controller removes a version when no node can be using it any more; " +
        'a name with "?" is of a node that may: it was told to boot the version, or its agent does not say what it runs from.',
    )
    .summary("list the versions of the root filesystem, and who uses them")
    .option("--json", jsonHelp)
    .addHelpText("after", examples(["controller rootfs list"]))
    .action(
      toAction<[], object>(async ({ client, signal, isJson, print, printJson, note, look, effects }) => {
        const roots = (await client.listRoots({}, signal)).roots.map(viewRoot);
        if (isJson) printJson(roots);
        else if (roots.length === 0) note([noRoots]);
        else print(renderRoots(roots, look, effects.clock.now()));
      }),
    );
}
