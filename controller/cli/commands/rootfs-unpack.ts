import type { Command } from "commander";
import { rootfsUnpackRequirements } from "../../rootfs/plan-requirements.ts";
import { unpackRootfs } from "../../rootfs/unpack-rootfs.ts";
import type { ToAction } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { installHelp, installIfAsked } from "./install-option.ts";
import { examples, jsonHelp } from "./option-texts.ts";
import { rootfsPaths } from "./rootfs-options.ts";

interface Options {
  readonly out?: string;
  readonly install?: true;
}

/** `controller rootfs unpack ARCHIVE`. */
export function registerRootfsUnpack(parent: Command, toAction: ToAction): void {
  parent
    .command("unpack")
    .description(
      "bring in a root filesystem that was built elsewhere\n\n" +
        "The Debian package pallet-rack holds one, and does this when it is installed. It becomes a version beside those that " +
        "are there: boots that begin from then on get it, and nodes that run keep theirs. If it is there already, that takes " +
        "no time. Needs root.",
    )
    .summary("bring in a root filesystem that was built elsewhere")
    .argument("<archive>", "what npm run build:packages packed: a tar archive, compressed or not")
    .option("--out <folder>", "where to keep the versions (default: /var/lib/pallet/rootfs)")
    .option("--install", installHelp)
    .option("--json", jsonHelp)
    .addHelpText("after", examples(["controller rootfs unpack /usr/share/pallet/rack/rootfs.tar.zst"]))
    .action(
      toAction<[string], Options>(async (context, options, archivePath) => {
        const { signal, isJson, print, printJson, note } = context;
        await installIfAsked(options, context, rootfsUnpackRequirements);
        const outDirectory = options.out ?? rootfsPaths().outDirectory;
        const log = (line: string) => note([printable(line)]);
        const { root, changed } = await unpackRootfs({ archivePath, outDirectory, log, signal });
        if (isJson) return void printJson({ id: root.id, rootFolder: root.rootFolder, changed });
        print([`${changed ? "new boots get" : "up to date:"} version ${root.id}`]);
      }),
    );
}
