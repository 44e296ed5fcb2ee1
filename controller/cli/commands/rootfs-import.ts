import { posix } from "node:path";
import type { Command } from "commander";
import { defaultMirror, defaultSuite } from "../../artefacts/debian-defaults.ts";
import { type ImportRequest, importRootfs, rootfsImportRequirements } from "../../rootfs/import-rootfs.ts";
import type { ToAction } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { formatBytes, formatCount } from "../render/units.ts";
import { installHelp, installIfAsked } from "./install-option.ts";
import { examples, jsonHelp, mirrorHelp, suiteHelp } from "./option-texts.ts";
import { rootfsPaths } from "./rootfs-options.ts";

interface Options {
  readonly out: string;
  readonly rootOnly?: true;
  readonly suite: string;
  readonly mirror: string;
  readonly refresh?: true;
  readonly install?: true;
}

/** `controller rootfs import IMAGE`. */
export function registerRootfsImport(parent: Command, toAction: ToAction): void {
  parent
    .command("import")
    .description(
      "turn an image into a root filesystem that nodes netboot into\n\n" +
        "Unpacks the image's root filesystem (ext2, ext3 or ext4; owners, modes, times, links, devices and extended " +
        "attributes are kept), along with the image's own kernel and device trees, and our own initrd with that kernel's " +
        'modules. Next, bake the agent into it; "boot-tree build --rootfs" then accepts it like the output of "rootfs ' +
        'build". An image whose kernel cannot mount its root over the network is refused at once. Needs root and loop ' +
        "devices.",
    )
    .summary("turn an image into a root filesystem for netboot")
    .argument("<file>", ".img, .img.gz, .img.xz, .img.zst or .zip of a card; its content decides, not its name")
    .requiredOption(
      "--out <folder>",
      "where to keep versions of it, for nfs.rootfs; must be new or empty, or hold earlier imports",
    )
    .option("--root-only", "unpack only the root filesystem, straight into the folder; works with any image")
    .option("--suite <name>", suiteHelp, defaultSuite)
    .option("--mirror <url>", mirrorHelp, defaultMirror)
    .option("--refresh", "check for newer versions of the initrd's programs")
    .option("--install", installHelp)
    .option("--json", jsonHelp)
    .addHelpText(
      "after",
      examples(
        ["controller rootfs import raspios-lite.img.xz --out raspios"],
        ["controller rootfs bake raspios"],
        ["controller boot-tree build --rootfs raspios", "and set nfs.rootfs to raspios"],
      ),
    )
    .action(
      toAction<[string], Options>(async (context, options, image) => {
        const { signal, isJson, print, printJson, note } = context;
        const { out, rootOnly = false, suite, mirror, refresh = false } = options;
        const log = (line: string) => note([printable(line)]);
        const cacheDirectory = posix.join(posix.dirname(rootfsPaths().cacheDirectory), "boot-tree");
        const request: ImportRequest = {
          imagePath: image,
          outDirectory: out,
          ...(!rootOnly && { netboot: { cacheDirectory, suite, mirror, refresh, log, signal } }),
          log,
          signal,
        };
        await installIfAsked(options, context, await rootfsImportRequirements(request));
        const imported = await importRootfs(request);
        if (isJson) return void printJson(imported);
        const { manifest, partition, files, rootFolder, notes } = imported;
        const size = manifest === undefined ? "" : `${formatBytes(manifest.root.sizeBytes)}, `;
        print([
          `unpacked partition ${partition} of ${printable(image)}`,
          `  root    ${printable(rootFolder)}  ${size}${formatCount(files, "file")}`,
          ...(manifest === undefined
            ? []
            : [
                `  system  ${printable(manifest.operatingSystem)}, kernel ${printable(manifest.kernelRelease)}`,
                `next: controller rootfs bake ${printable(out)}`,
              ]),
        ]);
        note(notes.map((text) => printable(text)));
      }),
    );
}
