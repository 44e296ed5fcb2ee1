import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Command } from "commander";
import { Failure, messageOf } from "../../../proto/failure.ts";
import { type CommandContext, type ToAction, UsageError } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { formatBytes, formatCount } from "../render/units.ts";
import { anonymise, boardReportFormat, viewBoardReport } from "../view/board-report-view.ts";
import { type EventView, viewEvent } from "../view/event-view.ts";
import { viewNode } from "../view/node-view.ts";
import { areSelected, forEachNode } from "./for-each-node.ts";
import { addNodeChoice, chooseNodes, describeChosen, type NodeChoiceOptions, nodesHelp } from "./node-choice.ts";
import { examples } from "./option-texts.ts";

interface Options extends NodeChoiceOptions {
  readonly output?: string;
  readonly anonymise?: boolean;
}

/** More of what happened helps nobody. */
const mostEvents = 200;

async function report(context: CommandContext, options: Options, nodes: readonly string[]): Promise<number> {
  const chosen = await chooseNodes(context, "report", { options, nodes, acceptedOnly: false });
  const { output } = options;
  if (!areSelected(chosen)) return await forEachNode(context, chosen, ({ node }) => reportOne(context, options, node));
  if (output === undefined)
    throw new UsageError(`of selected nodes (${describeChosen(chosen)}) there is a file each: give --output FOLDER`);
  await mkdir(output, { recursive: true }).catch((cause: unknown) => {
    throw new Failure("invalid", `cannot make the folder ${output}: ${messageOf(cause)}`, { cause });
  });
  return await forEachNode(context, chosen, ({ node, name }) =>
    reportOne(context, { ...options, output: path.join(output, `${path.basename(name)}.json`) }, node),
  );
}

async function reportOne(context: CommandContext, options: Options, name: string): Promise<undefined> {
  const { client, signal, effects, note, print } = context;
  const { node } = await client.getNode({ node: name }, signal);
  if (node === undefined) throw new Failure("internal", `the controller's answer lacks the node ${name}`);
  const answer = await client.getBoardReport({ node: node.nodeId }, signal);
  const events: EventView[] = [];
  const wanted = {
    afterId: 0n,
    follow: false,
    node: node.nodeId,
    nodeIds: [],
    rolloutId: "",
    by: "",
    limit: mostEvents,
  };
  for await (const { event } of client.streamEvents(wanted, signal))
    if (event !== undefined) events.push(viewEvent(event));
  const made = viewBoardReport(answer, {
    madeAt: new Date(effects.clock.now()).toISOString(),
    controllerVersion: (await client.getStatus({}, signal)).version,
    node: viewNode(node),
    events,
  });
  const text = `${JSON.stringify(options.anonymise === true ? anonymise(made) : made, null, 2)}\n`;
  if (options.output === undefined) print(text.trimEnd().split("\n"));
  else await write(options.output, text);

  const facts = made.boardMissing === null ? formatCount(Object.keys(made.board).length, "fact") : "nothing";
  note([
    `${printable(node.name)}: ${formatCount(made.requests.length, "boot request")}, ` +
      `${formatCount(events.length, "event")}, ${facts} about the board` +
      (options.output === undefined ? "" : `; ${formatBytes(text.length)} in ${printable(options.output)}`),
    ...(made.boardMissing === null ? [] : [`The board's own part is missing: ${printable(made.boardMissing)}`]),
    ...(made.requests.length === 0
      ? ["No boot request is known: power-cycle the node while the controller runs, then make the report again."]
      : []),
  ]);
  return undefined;
}

/** Never over another file: a report of the same node may be there. */
async function write(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { flag: "wx" });
  } catch (cause) {
    const why =
      (cause as NodeJS.ErrnoException).code === "EEXIST" ? "it exists; choose another name" : messageOf(cause);
    throw new Failure("invalid", `cannot write ${file}: ${why}`, { cause });
  }
}

/** `controller board-report NODE`. */
export function registerBoardReport(program: Command, toAction: ToAction): void {
  const command = program
    .command("board-report")
    .description(
      "write down what a board is and how it booted, as one JSON file to send back\n\n" +
        "Evidence of real boards: every boot file that it asked for since the controller started, in order, with times, " +
        "sizes and outcomes; what happened to it; and, from its agent (netbooted or resident), device tree and firmware, " +
        "kernel and command line, drivers, network interfaces, watchdog, restart handler, LEDs, temperatures, the card's " +
        "passport and the lines of the kernel's log about them. For a complete one, power-cycle the node first and wait " +
        "until it is online.\n\n" +
        "It contains no keys, passwords or files of anyone. It does contain MAC addresses, IP addresses, host names, and serial numbers of " +
        "board and card: --anonymise replaces MAC addresses and serial numbers, each by the same one throughout.",
    )
    .summary("write down what a board is and how it booted, to send back")
    .argument("[nodes...]", nodesHelp)
    .option(
      "--output <file>",
      "write the report to FILE (default: standard output); of selected nodes NAME.json of each to this folder",
    )
    .option("--anonymise", "replace MAC addresses and serial numbers, consistently");
  addNodeChoice(command, "every node known now")
    .addHelpText(
      "after",
      [
        "",
        `The file is JSON of the form ${boardReportFormat}.`,
        examples(
          ["controller board-report rack-1 --output rack-1.json"],
          ["controller board-report rack-1 --anonymise --output pi4.json", "to publish it"],
        ),
      ].join("\n"),
    )
    .action(toAction<[string[]], Options>(report));
}
