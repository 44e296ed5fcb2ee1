import type { Command } from "commander";
import type { ToAction } from "../connection/command-context.ts";
import { followRecords } from "../connection/follow-records.ts";
import { renderEvent } from "../render/render-events.ts";
import { viewEvent } from "../view/event-view.ts";
import { examples, jsonLinesHelp, nodeHelp, wholeNumber } from "./option-texts.ts";

interface Options {
  readonly follow?: boolean;
  readonly node?: string;
  readonly rollout?: string;
  readonly limit: number;
}

/** `controller events`: the event log. */
export function registerEvents(program: Command, toAction: ToAction): void {
  program
    .command("events")
    .description("show what happened, oldest first: discoveries, boot files fetched, phases, proofs, failures")
    .option("-f, --follow", "keep printing new events until Ctrl-C, even across a restart of the controller")
    .option("--node <node>", `only events about this node (${nodeHelp})`)
    .option("--rollout <id>", "only events about this rollout")
    .option("--limit <count>", "only the last COUNT; 0 for all", wholeNumber(0, 4_294_967_295), 100)
    .option("--json", jsonLinesHelp)
    .addHelpText(
      "after",
      examples(
        ["controller events --follow"],
        ["controller events --node rack-1 --limit 20", "how far did this node get?"],
        ["controller events --json --limit 0", "the whole log, for programs"],
      ),
    )
    .action(
      toAction<[], Options>(async (context, { follow = false, node = "", rollout = "", limit }) => {
        const { signal, isJson, print, printJsonLine, look } = context;
        const events = followRecords(context, {
          open: (client, part) => client.streamEvents({ ...part, follow, node, rolloutId: rollout }, signal),
          recordOf: ({ event }) => event,
          follow,
          limit,
          absence: "no such events",
        });
        for await (const event of events) {
          const view = viewEvent(event);
          if (isJson) printJsonLine(view);
          else print([renderEvent(view, look)]);
        }
      }),
    );
}
