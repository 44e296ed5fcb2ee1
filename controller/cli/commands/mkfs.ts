import { type Command, Option } from "commander";
import { maxLabelBytes } from "../../../proto/disk/filesystem-label.ts";
import { FilesystemType } from "../../../proto/gen/pallet/v1/operation.ts";
import type { ToAction } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { requireConsent } from "../terminal/confirm.ts";
import { confirmErasure } from "../terminal/confirm-erasure.ts";
import { exitCode } from "../terminal/exit-code.ts";
import { runOperation } from "../terminal/run-operation.ts";
import { examples, jsonLinesHelp, nodeHelp } from "./option-texts.ts";

interface Options {
  readonly type: "ext4" | "vfat";
  readonly label?: string;
  readonly yes?: boolean;
}

const types = { ext4: FilesystemType.FILESYSTEM_TYPE_EXT4, vfat: FilesystemType.FILESYSTEM_TYPE_VFAT } as const;

/** `controller mkfs NODE DEVICE`. */
export function registerMkfs(program: Command, toAction: ToAction): void {
  program
    .command("mkfs")
    .description(
      "make a filesystem on a node's partition or disk\n\n" +
        "Shows what is on the device and asks before erasing it. The agent refuses a device that is mounted, in use, " +
        "read-only, or that the node runs from.",
    )
    .summary("make a filesystem on a node's partition or disk")
    .argument("<node>", nodeHelp)
    .argument("<device>", "absolute path, for example /dev/sda1")
    .addOption(new Option("--type <type>", "filesystem type").choices(["ext4", "vfat"]).default("ext4"))
    .option(
      "--label <label>",
      `volume label: at most ${maxLabelBytes.ext4} bytes for ext4, ${maxLabelBytes.vfat} for vfat`,
    )
    .option("--yes", "do not ask")
    .option("--json", jsonLinesHelp)
    .addHelpText("after", examples(["controller mkfs rack-1 /dev/sda1 --label data"]))
    .action(
      toAction<[string, string], Options>(async (context, { type, label = "", yes }, node, device) => {
        requireConsent(context, yes, "erases a filesystem", "give --yes");
        const question = `Make ${type} on ${printable(device)} of ${printable(node)}`;
        if (yes !== true && !(await confirmErasure(context, node, device, question))) return exitCode.failed;
        return await runOperation(context, {
          node,
          work: { $case: "makeFilesystem", value: { device, type: types[type], label } },
          device,
          success: `made ${type} on ${printable(device)} of ${printable(node)}`,
        });
      }),
    );
}
