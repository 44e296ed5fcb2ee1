import { type Command, Option } from "commander";
import { LogLevel as WireLevel } from "../../../proto/gen/pallet/v1/log.ts";
import { type LogLevel, logLevels, logLevelToWire } from "../../../proto/words/log-level.ts";
import type { ToAction } from "../connection/command-context.ts";
import { followRecords } from "../connection/follow-records.ts";
import { renderNodeLog } from "../render/render-node-logs.ts";
import { viewNodeLog } from "../view/node-log-view.ts";
import { examples, jsonLinesHelp, nodeHelp, wholeNumber } from "./option-texts.ts";

interface Options {
  readonly follow?: boolean;
  readonly level?: LogLevel;
  readonly limit: number;
}

/** `controller node logs [NODE]`. */
export function registerNodeLogs(parent: Command, toAction: ToAction): void {
  parent
    .command("logs")
    .description("show the log of a node's agent, oldest first; without NODE, the logs of all nodes")
    .argument("[node]", nodeHelp)
    .option("-f, --follow", "keep printing new records until Ctrl-C, even across a restart of the controller")
    .addOption(new Option("--level <level>", "only records of at least this level").choices(logLevels))
    .option("--limit <count>", "only the last COUNT; 0 for all", wholeNumber(0, 4_294_967_295), 100)
    .option("--json", jsonLinesHelp)
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
      toAction<[string | undefined], Options>(async (context, { follow = false, level, limit }, node = "") => {
        const { signal, isJson, print, printJsonLine, look } = context;
        const minLevel = level === undefined ? WireLevel.LOG_LEVEL_UNSPECIFIED : logLevelToWire(level);
        const records = followRecords(context, {
          open: (client, part) => client.streamNodeLogs({ ...part, follow, node, minLevel }, signal),
          recordOf: ({ record }) => record,
          follow,
          limit,
          absence: "no records: nothing was logged, or nothing has arrived yet",
        });
        for await (const record of records) {
          const view = viewNodeLog(record);
          if (isJson) printJsonLine(view);
          else print(renderNodeLog(view, look, node === ""));
        }
      }),
    );
}
