import { type Command, Option } from "commander";
import { WipeMethod } from "../../../proto/gen/pallet/v1/operation.ts";
import type { ToAction } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { requireConsent } from "../terminal/confirm.ts";
import { confirmErasure } from "../terminal/confirm-erasure.ts";
import { exitCode } from "../terminal/exit-code.ts";
import { runOperation } from "../terminal/run-operation.ts";
import { examples, jsonLinesHelp, nodeHelp } from "./option-texts.ts";

interface Options {
  readonly method: "signatures" | "discard";
  readonly yes?: boolean;
}

const methods = {
  signatures: WipeMethod.WIPE_METHOD_SIGNATURES,
  discard: WipeMethod.WIPE_METHOD_DISCARD,
} as const;

/** `controller wipe NODE DEVICE`. */
export function registerWipe(program: Command, toAction: ToAction): void {
  program
    .command("wipe")
    .description(
      "wipe a node's disk\n\n" +
        "signatures: zero the partition table and every filesystem signature; quick, but the files' contents stay on the " +
        "disk. discard: discard the whole disk (blkdiscard); fails if the disk does not support it.",
    )
    .summary("wipe a node's disk")
    .argument("<node>", nodeHelp)
    .argument("<device>", "absolute path of a whole disk, for example /dev/mmcblk0")
    .addOption(
      new Option("--method <method>", "how to wipe it").choices(["signatures", "discard"]).default("signatures"),
    )
    .option("--yes", "do not ask")
    .option("--json", jsonLinesHelp)
    .addHelpText(
      "after",
      examples(["controller wipe rack-1 /dev/sda"], ["controller wipe rack-1 /dev/sda --method discard"]),
    )
    .action(
      toAction<[string, string], Options>(async (context, { method, yes }, node, device) => {
        requireConsent(context, yes, "erases a disk", "give --yes");
        const question = `Wipe ${printable(device)} of ${printable(node)}`;
        if (yes !== true && !(await confirmErasure(context, node, device, question))) return exitCode.failed;
        return await runOperation(context, {
          node,
          work: { $case: "wipe", value: { device, method: methods[method] } },
          device,
          success: `wiped ${printable(device)} of ${printable(node)}`,
        });
      }),
    );
}
