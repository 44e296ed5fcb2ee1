import { type Command, Option } from "commander";
import { WipeMethod } from "../../../proto/gen/pallet/v1/operation.ts";
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
  readonly method: "signatures" | "discard";
  readonly yes?: boolean;
}

const methods = {
  signatures: WipeMethod.WIPE_METHOD_SIGNATURES,
  discard: WipeMethod.WIPE_METHOD_DISCARD,
} as const;

/** `controller wipe NODE DEVICE`. */
export function registerWipe(program: Command, toAction: ToAction): void {
  const command = program
    .command("wipe")
    .description(
      "wipe a node's disk\n\n" +
        "signatures: zero the partition table and every filesystem signature; quick, but the files' contents stay on the " +
        "disk. discard: discard the whole disk (blkdiscard); fails if the disk does not support it.",
    )
    .summary("wipe a node's disk")
    .argument("<words...>", `nodes (${nodesHelp}), then the absolute path of a whole disk, for example /dev/mmcblk0`)
    .usage("[options] [NODE...] DEVICE")
    .addOption(
      new Option("--method <method>", "how to wipe it").choices(["signatures", "discard"]).default("signatures"),
    )
    .option("--yes", "do not ask")
    .option("--json", jsonLinesHelp);
  addNodeChoice(command, "every accepted node")
    .addHelpText(
      "after",
      examples(["controller wipe rack-1 /dev/sda"], ["controller wipe rack-1 /dev/sda --method discard"]),
    )
    .action(
      toAction<[string[]], Options>(async (context, options, words) => {
        const { nodes, last: device } = splitLast(words, "device");
        requireNodeChoice("wipe", selectorTextOf(options, nodes));
        requireConsent(context, options.yes, "erases a disk", "give --yes");
        const chosen = await chooseNodes(context, "wipe", { options, nodes, acceptedOnly: true });
        const devices = chosen.map(({ node, name }) => ({ node, name, device }));
        const question = `Wipe ${printable(device)} of ${describeChosen(chosen)}`;
        if (options.yes !== true && !(await confirmErasure(context, devices, question))) return exitCode.failed;
        return await forEachNode(context, chosen, ({ node, name }) =>
          runOperation(context, {
            ...{ node, name, isOneOfSeveral: chosen.length > 1, device },
            work: { $case: "wipe", value: { device, method: methods[options.method] } },
            success: `wiped ${printable(device)} of ${printable(name)}`,
          }),
        );
      }),
    );
}
