import { posix } from "node:path";
import type { Command } from "commander";
import { type Baked, type BakeRequest, bakeRootfs, rootfsBakeRequirements } from "../../rootfs/bake-rootfs.ts";
import type { Run } from "../connection/command-context.ts";
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

/** What is to be done for nodes to netboot into it. */
function next(target: string, { partition, rootFolder, netbootFolder }: Baked): string {
  if (partition !== undefined)
    return `to netboot into it: controller rootfs import ${printable(target)} --out FOLDER (as it is, it is for cards)`;
  if (netbootFolder === undefined)
    return `to netboot into it, kernel and initial RAM disk are missing: controller rootfs bake ${printable(target)} --out FOLDER`;
  return `next: controller boot-tree build --rootfs ${printable(netbootFolder)}, and nfs.rootfs: ${printable(rootFolder ?? "")}`;
}

/** `controller rootfs bake DIR|IMAGE`. */
export function registerRootfsBake(parent: Command, run: Run): void {
  parent
    .command("bake")
    .description(
      "put the agent into a root filesystem that exists already\n\n" +
        "The agent, what starts it at boot (systemd, sysvinit or busybox's init), and an fstab that mounts nothing of a card: " +
        "its lines become comments. Again is harmless, and puts in a newer agent. Of a folder with a root filesystem, --out " +
        'makes what "boot-tree build --rootfs" wants besides: the kernel of its /boot, and an initial RAM disk of ours with ' +
        'the modules of that kernel; what "rootfs import" made has that already. Needs root.',
    )
    .summary("put the agent into an existing root filesystem")
    .argument(
      "<target>",
      'what "rootfs import" made, a folder with a root filesystem, or the image file (.img) of a card',
    )
    .option("--out <folder>", "gets vmlinuz, initrd.img, device-trees/, manifest.json of a folder's root filesystem")
    .option("--agent <file>", agentHelp)
    .option("--suite <name>", suiteHelp, "bookworm")
    .option("--mirror <url>", mirrorHelp, "http://deb.debian.org/debian")
    .option("--refresh", "look for newer versions of the initial RAM disk's programs")
    .option("--install", installHelp)
    .option("--json", jsonHelp)
    .addHelpText(
      "after",
      examples(
        ["controller rootfs bake raspios", 'what "rootfs import" made'],
        ["controller rootfs bake /srv/web --out web-boot", "a root filesystem of your own"],
        ["controller rootfs bake raspios-lite.img", "an image, to be written to cards"],
      ),
    )
    .action(
      run<[string], Options>(async (context, options, target) => {
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
