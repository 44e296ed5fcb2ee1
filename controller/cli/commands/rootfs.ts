import process from "node:process";
import type { Command } from "commander";
import type { ToAction } from "../connection/command-context.ts";
import { registerRootfsBake } from "./rootfs-bake.ts";
import { registerRootfsBuild } from "./rootfs-build.ts";
import { registerRootfsImport } from "./rootfs-import.ts";
import { registerRootfsList } from "./rootfs-list.ts";
import { registerRootfsRemove } from "./rootfs-remove.ts";
import { registerRootfsUnpack } from "./rootfs-unpack.ts";

/**
 * `controller rootfs build|bake|import|unpack`: these work on this machine's files and need no controller; and `list|remove`, which
 * do, for it knows who uses what.
 */
export function registerRootfs(program: Command, toAction: ToAction): void {
  const rootfs = program
    .command("rootfs")
    .description("build the root filesystem that nodes netboot into, or adapt an existing system; list its versions")
    .helpCommand(false)
    // The controller, which may be another user, and nodes read what is made here.
    .hook("preAction", () => void process.umask(0o022));
  registerRootfsBuild(rootfs, toAction);
  registerRootfsBake(rootfs, toAction);
  registerRootfsImport(rootfs, toAction);
  registerRootfsUnpack(rootfs, toAction);
  registerRootfsList(rootfs, toAction);
  registerRootfsRemove(rootfs, toAction);
}
