import { type Command, Option } from "commander";
import { Failure } from "../../../proto/failure.ts";
import { AcceptNodesRequest, type AcceptRules } from "../../../proto/gen/pallet/v1/controller.ts";
import { limits } from "../../../proto/limits.ts";
import { choosesNothing } from "../../nodes/parse-selector.ts";
import type { ToAction } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { noNodes } from "../render/render-nodes.ts";
import {
  addNodeChoice,
  chooseNodes,
  type NodeChoiceOptions,
  nodesHelp,
  requireNodeChoice,
  selectorTextOf,
} from "./node-choice.ts";
import { examples, wholeNumber } from "./option-texts.ts";

/** `controller node accept NODE…|--all`. */
export function registerNodeAccept(parent: Command, toAction: ToAction): void {
  const command = parent
    .command("accept")
    .description(
      "accept nodes: only then may anything write to them or reboot them\n\n" +
        "Any machine that asks for a boot file on the network becomes a node. Until it is accepted it is pending: it boots " +
        "into the agent and can be looked at (disks, board-report, identify), and is never written to nor rebooted, not even " +
        "by name.",
    )
    .summary("accept nodes: only then may anything write to them")
    .argument("[nodes...]", nodesHelp);
  addNodeChoice(command, "accept every node known now")
    .addOption(
      new Option(
        "--next <count>",
        "accept as many boards as soon as their agents register, whatever they are (0 ends it)",
      )
        .argParser(wholeNumber(0, limits.acceptance.next.most))
        .helpGroup(rulesGroup),
    )
    .addOption(
      new Option(
        "--expect <board>",
        "accept boards with this MAC address, serial number or pattern, now and whenever one registers; may be given again",
      )
        .argParser(collect)
        .helpGroup(rulesGroup),
    )
    .addOption(new Option("--unexpect <board>", "end that").argParser(collect).helpGroup(rulesGroup))
    .addOption(new Option("--rules", "show by which rules boards are accepted").helpGroup(rulesGroup))
    .addHelpText(
      "after",
      examples(
        ["controller node accept rack-1 rack-2"],
        ["controller node accept 'rack-*'"],
        ["controller node accept --all"],
        ["controller node accept --next 40", "a crate of new boards"],
        ["controller node accept --expect 10000000a1b2c3d4 --expect 'd8:3a:dd:*'"],
      ),
    )
    .action(
      toAction<[string[]], Options>(async (context, options, nodes) => {
        const { client, signal, print, note } = context;
        const rules = rulesOf(options);
        const text = selectorTextOf(options, nodes);
        // "Every one" may be none yet, which is no failure.
        const isEvery = text.all && text.labelSelector === "" && text.states.length === 0;
        const isChoice = rules === undefined || !choosesNothing(text);
        const chosen =
          isEvery || !isChoice ? [] : await chooseNodes(context, "accept", { options, nodes, acceptedOnly: false });
        if (isEvery) requireNodeChoice("accept", text);
        const request = { nodes: chosen.map(({ node }) => node), all: isEvery };
        const answer = await client.acceptNodes(AcceptNodesRequest.fromPartial({ ...request, ...rules }), signal);
        if (rules !== undefined && answer.rules === undefined)
          throw new Failure("invalid", "this controller is older than the rules by which boards are accepted");
        if (answer.nodes.length > 0)
          print(answer.nodes.map(({ name, nodeId }) => `accepted ${printable(name)} (${printable(nodeId)})`));
        else if (isChoice) note([noNodes]);
        if (rules !== undefined && answer.rules !== undefined) print(renderAcceptRules(answer.rules));
      }),
    );
}

const rulesGroup = "Boards to come:";

type Options = NodeChoiceOptions & {
  readonly next?: number;
  readonly expect?: readonly string[];
  readonly unexpect?: readonly string[];
  readonly rules?: boolean;
};

function rulesOf(options: Options): Partial<AcceptNodesRequest> | undefined {
  const { next, expect = [], unexpect: noLongerExpect = [], rules = false } = options;
  if (next === undefined && expect.length + noLongerExpect.length === 0) return rules ? { rulesOnly: true } : undefined;
  return { next, expect: [...expect], noLongerExpect: [...noLongerExpect] };
}

function collect(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text];
}

/** By what rules boards are accepted, a line each. */
function renderAcceptRules({ next, expected, configured }: AcceptRules): readonly string[] {
  const lines = [
    ...configured.map((each) => `accepts ${printable(each)} (configuration)`),
    ...expected.map((each) => `accepts ${printable(each)}`),
    ...(next > 0
      ? [`accepts the next ${next === 1 ? "board" : `${next} boards`} that ${next === 1 ? "registers" : "register"}`]
      : []),
  ];
  return lines.length > 0 ? lines : ["no rule accepts a board: each waits for controller node accept NODE"];
}
