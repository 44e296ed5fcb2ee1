import type { Command } from "commander";
import { maxIdentifyMs } from "../../../proto/operation/operation-limits.ts";
import type { ToAction } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { runOperation } from "../terminal/run-operation.ts";
import { examples, jsonLinesHelp, nodeHelp, wholeNumber } from "./option-texts.ts";

const mostSeconds = maxIdentifyMs / 1000;

/** `controller identify NODE`. */
export function registerIdentify(program: Command, toAction: ToAction): void {
  program
    .command("identify")
    .description("blink a node's activity LED so that you can find the board")
    .argument("<node>", nodeHelp)
    .option("--seconds <count>", `how long, at most ${mostSeconds}`, wholeNumber(1, mostSeconds), 30)
    .option("--json", jsonLinesHelp)
    .addHelpText("after", examples(["controller identify rack-1 --seconds 60"]))
    .action(
      toAction<[string], { readonly seconds: number }>((context, { seconds }, node) =>
        runOperation(context, {
          node,
          work: { $case: "identify", value: { duration: { seconds: BigInt(seconds), nanos: 0 } } },
          device: null,
          success: `${printable(node)} blinked for ${seconds} s`,
        }),
      ),
    );
}
