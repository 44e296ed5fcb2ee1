import { type Command, Option } from "commander";
import { LogLevel as WireLevel } from "../../../proto/gen/pallet/v1/log.ts";
import { type LogLevel, logLevels, logLevelToWire } from "../../../proto/words/log-level.ts";
import type { ToAction } from "../connection/command-context.ts";
import { followRecords } from "../connection/follow-records.ts";
import { renderNodeLog } from "../render/render-node-logs.ts";
import { viewNodeLog } from "../view/node-log-view.ts";
import { addNodeChoice, chooseRecordsOf, type NodeChoiceOptions, nodesHelp } from "./node-choice.ts";
import { examples, jsonLinesHelp, wholeNumber } from "./option-texts.ts";

interface Options extends NodeChoiceOptions {
  readonly follow?: boolean;
  readonly level?: LogLevel;
  readonly limit: number;
}

/** `controller node logs [NODE…]`. */
export function registerNodeLogs(parent: Command, toAction: ToAction): void {
  const command = parent
    .command("logs")
    .description("show the logs of nodes' agents, oldest first; without any choice, of all nodes")
    .argument("[nodes...]", nodesHelp)
    .option("-f, --follow", "keep printing new records until Ctrl-C, even across a restart of the controller")
    .addOption(new Option("--level <level>", "only records of at least this level").choices(logLevels))
    .option("--limit <count>", "only the last COUNT; 0 for all", wholeNumber(0, 4_294_967_295), 100)
    .option("--json", jsonLinesHelp);
  addNodeChoice(command, "every node, as without any of these")
    .addHelpText(
      "after",
      [
        "",
        "Times are those of the controller's clock; --json adds the node's own. The newest 2,000 records of each node",
        "are kept until the node is forgotten, even if it has left the rack.",
        examples(
          ["controller node logs rack-1 --limit 0", "from its first boot to now"],
          ["controller node logs rack-1 --follow", "what is it doing?"],
          ["controller node logs --level warn", "which nodes report problems?"],
        ),
      ].join("\n"),
    )
    .action(
      toAction<[string[]], Options>(async (context, options, nodes) => {
        const { follow = false, level, limit } = options;
        const { signal, isJson, print, printJsonLine, look } = context;
        const minLevel = level === undefined ? WireLevel.LOG_LEVEL_UNSPECIFIED : logLevelToWire(level);
        const { node, nodeIds, isMixed, isWanted } = await chooseRecordsOf(context, "logs", options, nodes);
        const records = followRecords(context, {
          open: (client, part) =>
            client.streamNodeLogs({ ...part, follow, node, nodeIds: [...nodeIds], minLevel }, signal),
          recordOf: ({ record }) => record,
          follow,
          limit,
          absence: "no records: nothing was logged, or nothing has arrived yet",
        });
        for await (const record of records) {
          if (!isWanted(record.nodeId)) continue;
          const view = viewNodeLog(record);
          if (isJson) printJsonLine(view);
          else print(renderNodeLog(view, look, isMixed));
        }
      }),
    );
}
