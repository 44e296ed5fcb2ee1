import { type Command, Option } from "commander";
import { maxLabelBytes } from "../../../proto/disk/filesystem-label.ts";
import { FilesystemType } from "../../../proto/gen/pallet/v1/operation.ts";
import type { ToAction } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { requireConsent } from "../terminal/confirm.ts";
import { confirmErasure } from "../terminal/confirm-erasure.ts";
import { exitCode } from "../terminal/exit-code.ts";
import { runOperation } from "../terminal/run-operation.ts";
import { forEachNode } from "./for-each-node.ts";
import {
  addNodeChoice,
  chooseNodes,
  describeChosen,
  type NodeChoiceOptions,
  nodesHelp,
  requireNodeChoice,
  selectorTextOf,
  splitLast,
} from "./node-choice.ts";
import { examples, jsonLinesHelp } from "./option-texts.ts";

interface Options extends NodeChoiceOptions {
  readonly type: "ext4" | "vfat";
  readonly label?: string;
  readonly yes?: boolean;
}

const types = { ext4: FilesystemType.FILESYSTEM_TYPE_EXT4, vfat: FilesystemType.FILESYSTEM_TYPE_VFAT } as const;

/** `controller mkfs NODE DEVICE`. */
export function registerMkfs(program: Command, toAction: ToAction): void {
  const command = program
    .command("mkfs")
    .description(
      "make a filesystem on a node's partition or disk\n\n" +
        "Shows what is on the device and asks before erasing it. The agent refuses a device that is protected, mounted, in use, " +
        "read-only, or that the node runs from.",
    )
    .summary("make a filesystem on a node's partition or disk")
    .argument(
      "<words...>",
      `nodes (${nodesHelp}), then the absolute path of a partition or disk, for example /dev/sda1`,
    )
    .usage("[options] [NODE...] DEVICE")
    .addOption(new Option("--type <type>", "filesystem type").choices(["ext4", "vfat"]).default("ext4"))
    .option(
      "--label <label>",
      `volume label: at most ${maxLabelBytes.ext4} bytes for ext4, ${maxLabelBytes.vfat} for vfat`,
    )
    .option("--yes", "do not ask")
    .option("--json", jsonLinesHelp);
  addNodeChoice(command, "every accepted node")
    .addHelpText("after", examples(["controller mkfs rack-1 /dev/sda1 --label data"]))
    .action(
      toAction<[string[]], Options>(async (context, options, words) => {
        const { type, label = "" } = options;
        const { nodes, last: device } = splitLast(words, "device");
        requireNodeChoice("make a filesystem on", selectorTextOf(options, nodes));
        requireConsent(context, options.yes, "erases a filesystem", "give --yes");
        const chosen = await chooseNodes(context, "make a filesystem on", { options, nodes, acceptedOnly: true });
        const devices = chosen.map(({ node, name }) => ({ node, name, device }));
        const question = `Make ${type} on ${printable(device)} of ${describeChosen(chosen)}`;
        if (options.yes !== true && !(await confirmErasure(context, devices, question))) return exitCode.failed;
        return await forEachNode(context, chosen, ({ node, name }) =>
          runOperation(context, {
            ...{ node, name, isOneOfSeveral: chosen.length > 1, device },
            work: { $case: "makeFilesystem", value: { device, type: types[type], label } },
            success: `made ${type} on ${printable(device)} of ${printable(name)}`,
          }),
        );
      }),
    );
}
