import type { Command } from "commander";
import type { Run } from "../connection/command-context.ts";
import { registerBootTreeBuild } from "./boot-tree-build.ts";

/** `controller boot-tree build`: it works on this machine's files and needs no controller. */
export function registerBootTree(program: Command, run: Run): void {
  const bootTree = program
    .command("boot-tree")
    .description("build what boot ROMs, firmware and U-Boot fetch by TFTP")
    .helpCommand(false);
  registerBootTreeBuild(bootTree, run);
}
