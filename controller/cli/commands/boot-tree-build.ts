import { posix } from "node:path";
import process from "node:process";
import { type Command, InvalidArgumentError, Option } from "commander";
import { type BootTreeRequest, bootTreeRequirements, buildBootTree } from "../../boot-tree/build-boot-tree.ts";
import { type TargetName, targetNames } from "../../boot-tree/targets.ts";
import { readConfig } from "../../config/read-config.ts";
import type { Run } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { formatCount } from "../render/units.ts";
import { installHelp, installIfAsked } from "./install-option.ts";
import { examples, jsonHelp, mirrorHelp, suiteHelp } from "./option-texts.ts";
import { rootfsPaths } from "./rootfs-options.ts";

interface Options {
  readonly out?: string;
  readonly targets: readonly TargetName[];
  /** false for --no-rootfs. */
  readonly rootfs?: string | false;
  readonly bits: "32" | "64";
  readonly overwrite?: true;
  readonly suite: string;
  readonly mirror: string;
  readonly refresh?: true;
  readonly install?: true;
}

/** `controller boot-tree build`. */
export function registerBootTreeBuild(parent: Command, run: Run): void {
  parent
    .command("build")
    .description(
      "build the folder that TFTP serves\n\n" +
        "The Raspberry Pis' firmware from Debian; a U-Boot built from Debian's source that boots over the network only and " +
        "reads no card; config.txt, which starts it in the place of a kernel; and the agent's kernel. It may be served " +
        "meanwhile. Files that somebody else wrote or changed stay as they are. The first build takes two minutes. What it " +
        "needs on this machine it looks for first.",
    )
    .summary("build the folder that TFTP serves")
    .option("--out <folder>", "the boot tree (default: bootTree of the configuration)")
    .option("--targets <names>", `builds of U-Boot, of ${targetNames.join(", ")}`, parseTargets, targetNames)
    .option(
      "--rootfs <folder>",
      'what "controller rootfs build", "import" or "bake --out" made (default: /var/lib/pallet/rootfs)',
    )
    .option("--no-rootfs", "leave out the agent's kernel and the device trees")
    .addOption(
      new Option("--bits <number>", "whether Raspberry Pi 2 and 3 run 32-bit or 64-bit systems")
        .choices(["32", "64"])
        .default("64"),
    )
    .option("--overwrite", "replace files that somebody else wrote or changed")
    .option("--suite <name>", suiteHelp, "bookworm")
    .option("--mirror <url>", mirrorHelp, "http://deb.debian.org/debian")
    .option("--refresh", "look for newer versions in Debian's archive")
    .option("--install", installHelp)
    .option("--json", jsonHelp)
    .addHelpText(
      "after",
      examples(["controller boot-tree build"], ["controller boot-tree build --out tree --no-rootfs"]),
    )
    .action(
      run<[], Options>(async (context, options) => {
        const { effects, signal, isJson, print, printJson, note } = context;
        const { out, targets, rootfs, bits, overwrite = false, suite, mirror, refresh = false } = options;
        const inputs = { options: {}, env: effects.env, workingDirectory: process.cwd() };
        const outDirectory = out ?? (await readConfig(inputs)).bootTree;
        const paths = rootfsPaths();
        const request: BootTreeRequest = {
          outDirectory,
          cacheDirectory: posix.join(posix.dirname(paths.cacheDirectory), "boot-tree"),
          targets,
          rootfsDirectory: rootfs === false ? undefined : (rootfs ?? paths.outDirectory),
          bits: bits === "32" ? 32 : 64,
          overwrite,
          suite,
          mirror,
          refresh,
          log: (line) => note([printable(line)]),
          signal,
        };
        await installIfAsked(options, context, await bootTreeRequirements(request));
        const { manifest, plan } = await buildBootTree(request);
        if (isJson) return void printJson({ outDirectory, ...plan, ...manifest });
        const { versions } = manifest;
        print([
          plan.write.length + plan.remove.length > 0 ? `built ${printable(outDirectory)}` : "nothing has changed",
          `  U-Boot    ${printable(versions.uBoot)}, for ${targets.join(", ")}`,
          `  firmware  ${printable(versions.firmware)}`,
          `  agent     ${versions.kernel === undefined ? "not here" : `kernel ${printable(versions.kernel)}`}`,
          `  ${formatCount(plan.write.length, "file")} written, ${plan.keep.length} unchanged, ${plan.remove.length} removed`,
        ]);
        if (plan.foreign.length > 0)
          note([
            `left alone, as somebody else wrote or changed it: ${plan.foreign.map(printable).join(", ")} (--overwrite)`,
          ]);
      }),
    );
}

function parseTargets(text: string): readonly TargetName[] {
  const names = text.split(",").map((name) => name.trim());
  return names.map((name) => {
    const known = targetNames.find((each) => each === name);
    if (known === undefined)
      throw new InvalidArgumentError(`Give some of ${targetNames.join(", ")}, joined by commas.`);
    return known;
  });
}
