import { type Command, Option } from "commander";
import { LogLevel as WireLevel } from "../../../proto/gen/pallet/v1/log.ts";
import { type LogLevel, logLevels, logLevelToWire } from "../../../proto/log-level.ts";
import type { Run } from "../connection/command-context.ts";
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
        const { signal, isJson, print, printJsonLine, look } = context;
        const minLevel = level === undefined ? WireLevel.LOG_LEVEL_UNSPECIFIED : logLevelToWire(level);
        const records = followRecords(context, {
          open: (client, part) => client.streamNodeLogs({ ...part, follow, node, minLevel }, signal),
          recordOf: ({ record }) => record,
          follow,
          limit,
          absence: "nothing was logged, or nothing of it has arrived",
        });
        for await (const record of records) {
          const view = viewNodeLog(record);
          if (isJson) printJsonLine(view);
          else print(renderNodeLog(view, look, node === ""));
        }
      }),
    );
}
