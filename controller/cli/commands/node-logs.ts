import { type Command, Option } from "commander";
import { LogLevel as WireLevel } from "../../../proto/gen/pallet/v1/log.ts";
import { type LogLevel, logLevels, logLevelToWire } from "../../../proto/log-level.ts";
import type { Run } from "../command-context.ts";
import { followSteadily } from "../follow-steadily.ts";
import { examples, jsonLinesHelp, nodeHelp, wholeNumber } from "../option-texts.ts";
import { renderNodeLog } from "../render-node-logs.ts";
import { viewNodeLog } from "../view/node-log-view.ts";

interface Options {
  readonly follow?: boolean;
  readonly level?: LogLevel;
  readonly limit: number;
}

/** `controller node logs [NODE]`. */
export function registerNodeLogs(parent: Command, run: Run): void {
  parent
    .command("logs")
    .description("show what the agent of a node has logged, oldest first; without NODE, those of all nodes")
    .argument("[node]", nodeHelp)
    .option(
      "-f, --follow",
      "go on with what is logged from now on, until Ctrl-C; a restart of the controller is waited out",
    )
    .addOption(new Option("--level <level>", "only what matters at least so much").choices(logLevels))
    .option("--limit <count>", "only the last so many; 0 for all", wholeNumber(0, 4_294_967_295), 100)
    .option("--json", jsonLinesHelp)
    .addHelpText(
      "after",
      [
        "",
        "Times are by the controller's clock; --json tells the node's own as well. The newest 2,000 records of each node",
        "are kept, also when the node is gone, until it is forgotten.",
        examples(
          ["controller node logs rack-1 --limit 0", "from its first boot to now"],
          ["controller node logs rack-1 --follow", "what is it doing?"],
          ["controller node logs --level warn", "which nodes complain?"],
        ),
      ].join("\n"),
    )
    .action(
      run<[string | undefined], Options>(async (context, { follow = false, level, limit }, node = "") => {
        const { connect, signal, effects, isJson, print, printJsonLine, hint, look } = context;
        const minLevel = level === undefined ? WireLevel.LOG_LEVEL_UNSPECIFIED : logLevelToWire(level);
        let afterId = 0n;
        let isLost = false;
        const records = followSteadily({
          connect,
          // After a lost connection: what comes after the last record, without a limit, so that none is missed.
          open: (client) =>
            client.streamNodeLogs({ afterId, follow, node, minLevel, limit: afterId > 0n ? 0 : limit }, signal),
          isComplete: () => !follow,
          isKnown: false,
          signal,
          clock: effects.clock,
          onLost: () => {
            if (!isLost) hint(["the controller does not answer; trying again"]);
            isLost = true;
          },
          onBack: () => {
            isLost = false;
          },
        });
        let isEmpty = true;
        for await (const { record } of records) {
          if (record === undefined) continue;
          isEmpty = false;
          afterId = record.id;
          const view = viewNodeLog(record);
          if (isJson) printJsonLine(view);
          else print(renderNodeLog(view, look, node === ""));
        }
        if (isEmpty) hint(["nothing was logged, or nothing of it has arrived"]);
      }),
    );
}
