import { type Command, Option } from "commander";
import type { ToAction } from "../connection/command-context.ts";
import { followRecords } from "../connection/follow-records.ts";
import { renderEvent } from "../render/render-events.ts";
import { viewEvent } from "../view/event-view.ts";
import { addNodeChoice, chooseRecordsOf, type NodeChoiceOptions, nodesHelp } from "./node-choice.ts";
import { examples, jsonLinesHelp, wholeNumber } from "./option-texts.ts";

interface Options extends NodeChoiceOptions {
  readonly follow?: boolean;
  readonly node?: readonly string[];
  readonly rollout?: string;
  readonly by?: string;
  readonly limit: number;
}

const byHelp =
  "only what this author did: the name of a user or operator, a node (its agent), or controller, socket-user, operator, " +
  "agent or anonymous";

/** `controller events`: the event log. */
export function registerEvents(program: Command, toAction: ToAction): void {
  const command = program
    .command("events")
    .description("show what happened, oldest first: discoveries, boot files fetched, phases, proofs, failures")
    .argument("[nodes...]", `only events about these nodes: ${nodesHelp}`)
    .option("-f, --follow", "keep printing new events until Ctrl-C, even across a restart of the controller")
    .addOption(
      new Option("--node <node>", "the same as naming the node").argParser(
        (text: string, before: readonly string[] | undefined) => [...(before ?? []), text],
      ),
    )
    .option("--rollout <rollout>", "only events about this rollout")
    .option("--by <author>", byHelp)
    .option("--limit <count>", "only the last COUNT; 0 for all", wholeNumber(0, 4_294_967_295), 100)
    .option("--json", jsonLinesHelp);
  addNodeChoice(command, "every node; events that are about none are left out")
    .addHelpText(
      "after",
      examples(
        ["controller events --follow"],
        ["controller events rack-1 --limit 20", "how far did this node get?"],
        ["controller events -l shelf=2 --follow", "what happens on this shelf?"],
        ["controller events --by anna", "what did anna do?"],
        ["controller events --json --limit 0", "the whole log, for programs"],
      ),
    )
    .action(
      toAction<[string[]], Options>(async (context, options, nodes) => {
        const { follow = false, rollout = "", by = "", limit } = options;
        const { signal, isJson, print, printJsonLine, look } = context;
        const named = [...(options.node ?? []), ...nodes];
        const { node, nodeIds, isWanted } = await chooseRecordsOf(context, "events", options, named);
        const events = followRecords(context, {
          open: (client, part) =>
            client.streamEvents({ ...part, follow, node, nodeIds: [...nodeIds], rolloutId: rollout, by }, signal),
          recordOf: ({ event }) => event,
          follow,
          limit,
          absence: "no such events",
        });
        for await (const event of events) {
          if (!isWanted(event.nodeId)) continue;
          // An older controller, which knows no authors, has sent everybody's.
          if (by !== "" && event.by === undefined) continue;
          const view = viewEvent(event);
          if (isJson) printJsonLine(view);
          else print([renderEvent(view, look)]);
        }
      }),
    );
}
