import type { Command } from "commander";
import { bakeRootfs, rootfsBakeRequirements } from "../../rootfs/bake-rootfs.ts";
import type { Run } from "../command-context.ts";
import { installHelp, installIfAsked } from "../install-option.ts";
import { examples, jsonHelp } from "../option-texts.ts";
import { printable } from "../printable.ts";
import { agentHelp, rootfsPaths } from "../rootfs-options.ts";

/** `controller rootfs bake DIR|IMAGE`. */
export function registerRootfsBake(parent: Command, run: Run): void {
  parent
    .command("bake")
    .description(
      "put the agent into a root filesystem that exists already\n\n" +
        "The agent, what starts it at boot (systemd, sysvinit or busybox's init), and an fstab that mounts nothing of a card: " +
        "its lines become comments. Again is harmless, and puts in a newer agent. Needs root.",
    )
    .summary("put the agent into an existing root filesystem")
    .argument("<target>", "a folder with a root filesystem, or the image file (.img) of a card")
    .option("--agent <file>", agentHelp)
    .option("--install", installHelp)
    .option("--json", jsonHelp)
    .addHelpText(
      "after",
      examples(["controller rootfs bake raspios-root"], ["controller rootfs bake raspios-lite.img"]),
    )
    .action(
      run<[string], { readonly agent?: string; readonly install?: true }>(async (context, options, target) => {
        const { signal, isJson, print, printJson } = context;
        const { agent } = options;
        await installIfAsked(options, context, await rootfsBakeRequirements({ target }));
        const baked = await bakeRootfs({ target, agentFile: agent ?? rootfsPaths().agentFile, signal });
        if (isJson) return void printJson(baked);
        const where = baked.partition === undefined ? "" : `, partition ${baked.partition}`;
        print([`baked the agent into ${printable(target)}${where}; ${baked.initSystem} starts it at boot`]);
      }),
    );
}
