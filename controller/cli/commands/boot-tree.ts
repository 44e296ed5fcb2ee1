import process from "node:process";
import type { Command } from "commander";
import type { ToAction } from "../connection/command-context.ts";
import { registerBootTreeBuild } from "./boot-tree-build.ts";
import { registerBootTreeCopy } from "./boot-tree-copy.ts";

/** `controller boot-tree build|copy`: they work on this machine's files and need no controller. */
export function registerBootTree(program: Command, toAction: ToAction): void {
  const bootTree = program
    .command("boot-tree")
    .description("build what boot ROMs, firmware and U-Boot fetch by TFTP")
    .helpCommand(false)
    // The controller, which may be another user, reads what is made here.
    .hook("preAction", () => void process.umask(0o022));
  registerBootTreeBuild(bootTree, toAction);
  registerBootTreeCopy(bootTree, toAction);
}
