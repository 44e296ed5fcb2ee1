import { posix } from "node:path";
import process from "node:process";
import { type Command, InvalidArgumentError } from "commander";
import { defaultMirror, defaultSuite } from "../../artefacts/debian-defaults.ts";
import { type BootTreeRequest, bootTreeRequirements, buildBootTree } from "../../boot-tree/build-boot-tree.ts";
import { type TargetName, targetNames } from "../../boot-tree/targets.ts";
import { readConfig } from "../../config/read-config.ts";
import type { ToAction } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { renderBootTree } from "../render/render-boot-tree.ts";
import { installHelp, installIfAsked } from "./install-option.ts";
import { examples, jsonHelp, mirrorHelp, suiteHelp } from "./option-texts.ts";
import { rootfsPaths } from "./rootfs-options.ts";

interface Options {
  readonly out?: string;
  readonly targets: readonly TargetName[];
  /** false for --no-rootfs. */
  readonly rootfs?: string | false;
  readonly overwrite?: true;
  readonly suite: string;
  readonly mirror: string;
  readonly refresh?: true;
  readonly install?: true;
}

/** `controller boot-tree build`. */
export function registerBootTreeBuild(parent: Command, toAction: ToAction): void {
  parent
    .command("build")
    .description(
      "build the folder that TFTP serves\n\n" +
        "It holds the Raspberry Pi firmware from Debian; a U-Boot built from Debian's source that boots only over the " +
        "network and never reads a card; a config.txt that starts U-Boot in place of a kernel; and the agent's kernel. The " +
        "folder can be served while it is being built. Files that someone else wrote or changed are left alone. The first " +
        "build takes about two minutes. Missing requirements are reported before anything is built.",
    )
    .summary("build the folder that TFTP serves")
    .option("--out <folder>", "the boot tree (default: bootTree of the configuration)")
    .option("--targets <names>", `U-Boot builds, any of ${targetNames.join(", ")}`, parseTargets, targetNames)
    .option(
      "--rootfs <folder>",
      'output of "controller rootfs build", "import" or "bake --out" (default: /var/lib/pallet/rootfs)',
    )
    .option("--no-rootfs", "leave out the agent's kernel and the device trees")
    .option("--overwrite", "replace files that someone else wrote or changed")
    .option("--suite <name>", suiteHelp, defaultSuite)
    .option("--mirror <url>", mirrorHelp, defaultMirror)
    .option("--refresh", "check Debian's archive for newer versions")
    .option("--install", installHelp)
    .option("--json", jsonHelp)
    .addHelpText(
      "after",
      examples(["controller boot-tree build"], ["controller boot-tree build --out tree --no-rootfs"]),
    )
    .action(
      toAction<[], Options>(async (context, options) => {
        const { effects, signal, isJson, print, printJson, note } = context;
        const { out, targets, rootfs, overwrite = false, suite, mirror, refresh = false } = options;
        const inputs = { options: {}, env: effects.env, workingDirectory: process.cwd() };
        const outDirectory = out ?? (await readConfig(inputs)).bootTree;
        const paths = rootfsPaths();
        const request: BootTreeRequest = {
          outDirectory,
          cacheDirectory: posix.join(posix.dirname(paths.cacheDirectory), "boot-tree"),
          targets,
          rootfsDirectory: rootfs === false ? undefined : (rootfs ?? paths.outDirectory),
          overwrite,
          suite,
          mirror,
          refresh,
          log: (line) => note([printable(line)]),
          signal,
        };
        await installIfAsked(options, context, await bootTreeRequirements(request));
        const tree = await buildBootTree(request);
        if (isJson) return void printJson({ outDirectory, ...tree.plan, ...tree.manifest });
        const { lines, notes } = renderBootTree(printable(outDirectory), tree);
        print(lines);
        note(notes);
      }),
    );
}

function parseTargets(text: string): readonly TargetName[] {
  const names = text.split(",").map((name) => name.trim());
  return names.map((name) => {
    const known = targetNames.find((each) => each === name);
    if (known === undefined)
      throw new InvalidArgumentError(`Choose from ${targetNames.join(", ")}, separated by commas.`);
    return known;
  });
}
