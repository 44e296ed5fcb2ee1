import type { Command } from "commander";
import { maxIdentifyMs } from "../../../proto/operation/operation-limits.ts";
import type { ToAction } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { runOperation } from "../terminal/run-operation.ts";
import { forEachNode } from "./for-each-node.ts";
import { addNodeChoice, chooseNodes, type NodeChoiceOptions, nodesHelp } from "./node-choice.ts";
import { examples, jsonLinesHelp, wholeNumber } from "./option-texts.ts";

interface Options extends NodeChoiceOptions {
  readonly seconds: number;
}

const mostSeconds = maxIdentifyMs / 1000;

/** `controller identify NODE`. */
export function registerIdentify(program: Command, toAction: ToAction): void {
  const command = program
    .command("identify")
    .description("blink the activity LED of nodes so that you can find the boards")
    .argument("[nodes...]", nodesHelp)
    .option("--seconds <count>", `for how many seconds, at most ${mostSeconds}`, wholeNumber(1, mostSeconds), 30)
    .option("--json", jsonLinesHelp);
  addNodeChoice(command, "every node known now")
    .addHelpText(
      "after",
      examples(["controller identify rack-1 --seconds 60"], ["controller identify -l shelf=2", "a whole shelf blinks"]),
    )
    .action(
      toAction<[string[]], Options>(async (context, options, nodes) => {
        const { seconds } = options;
        const chosen = await chooseNodes(context, "identify", { options, nodes, acceptedOnly: false });
        return await forEachNode(context, chosen, ({ node, name }) =>
          runOperation(context, {
            ...{ node, name, isOneOfSeveral: chosen.length > 1, device: null },
            work: { $case: "identify", value: { duration: { seconds: BigInt(seconds), nanos: 0 } } },
            success: `${printable(name)} blinked for ${seconds} s`,
          }),
        );
      }),
    );
}
