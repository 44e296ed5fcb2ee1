import { posix } from "node:path";
import type { Command } from "commander";
import { defaultMirror, defaultSuite } from "../../artefacts/debian-defaults.ts";
import { type Baked, type BakeRequest, bakeRootfs, rootfsBakeRequirements } from "../../rootfs/bake-rootfs.ts";
import type { ToAction } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { installHelp, installIfAsked } from "./install-option.ts";
import { examples, jsonHelp, mirrorHelp, suiteHelp } from "./option-texts.ts";
import { agentHelp, rootfsPaths } from "./rootfs-options.ts";

interface Options {
  readonly agent?: string;
  readonly out?: string;
  readonly suite: string;
  readonly mirror: string;
  readonly refresh?: true;
  readonly install?: true;
}

/** What the operator still has to do before nodes can netboot into it. */
function next(target: string, { partition, netbootFolder }: Baked): string {
  if (partition !== undefined)
    return `this image is for cards; to netboot into it: controller rootfs import ${printable(target)} --out FOLDER`;
  if (netbootFolder === undefined)
    return `to netboot into it, add a kernel and an initrd: controller rootfs bake ${printable(target)} --out FOLDER`;
  return `next: controller boot-tree build --rootfs ${printable(netbootFolder)}, and set nfs.rootfs to ${printable(netbootFolder)}`;
}

/** `controller rootfs bake DIR|IMAGE`. */
export function registerRootfsBake(parent: Command, toAction: ToAction): void {
  parent
    .command("bake")
    .description(
      "put the agent into an existing root filesystem\n\n" +
        "Adds the agent and what starts it at boot (systemd, sysvinit or busybox's init), and comments out the lines of " +
        '/etc/fstab that mount a card. Running it again is harmless, and updates the agent. The output of "rootfs import" ' +
        "gets a new version: boots that begin from then on get it, and nodes that run keep theirs. Of a folder with a root " +
        "filesystem, --out makes such a version too, from a copy: with the kernel from its /boot, and our own initrd with " +
        "that kernel's modules. Without --out the folder itself is changed, under nodes that may run from it. Needs root.",
    )
    .summary("put the agent into an existing root filesystem")
    .argument(
      "<target>",
      'output of "rootfs import", a folder with a root filesystem, or an image file (.img) of a card',
    )
    .option("--out <folder>", "for a folder: where to keep versions of it, for nfs.rootfs")
    .option("--agent <file>", agentHelp)
    .option("--suite <name>", suiteHelp, defaultSuite)
    .option("--mirror <url>", mirrorHelp, defaultMirror)
    .option("--refresh", "check for newer versions of the initrd's programs")
    .option("--install", installHelp)
    .option("--json", jsonHelp)
    .addHelpText(
      "after",
      examples(
        ["controller rootfs bake raspios", 'output of "rootfs import"'],
        ["controller rootfs bake /srv/web --out web-boot", "a root filesystem of your own"],
        ["controller rootfs bake raspios-lite.img", "an image for cards"],
      ),
    )
    .action(
      toAction<[string], Options>(async (context, options, target) => {
        const { signal, isJson, print, printJson, note } = context;
        const { agent, out, suite, mirror, refresh = false } = options;
        const paths = rootfsPaths();
        const log = (line: string) => note([printable(line)]);
        const cacheDirectory = posix.join(posix.dirname(paths.cacheDirectory), "boot-tree");
        const request: BakeRequest = {
          target,
          agentFile: agent ?? paths.agentFile,
          outDirectory: out,
          archive: { cacheDirectory, suite, mirror, refresh, log, signal },
          signal,
        };
        await installIfAsked(options, context, await rootfsBakeRequirements(request));
        const baked = await bakeRootfs(request);
        if (isJson) return void printJson(baked);
        const where = baked.partition === undefined ? "" : `, partition ${baked.partition}`;
        print([`baked the agent into ${printable(target)}${where}; ${baked.initSystem} starts it at boot`]);
        note([...baked.notes.map((text) => printable(text)), next(target, baked)]);
      }),
    );
}
