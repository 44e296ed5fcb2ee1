import { status as Status } from "@grpc/grpc-js";
import { type Command, Option } from "commander";
import { Failure } from "../../../proto/failure.ts";
import type { Node, NodeSelector } from "../../../proto/gen/pallet/v1/controller.ts";
import { isServiceError } from "../../../proto/grpc/failure-metadata.ts";
import { type NodeState, nodeStates } from "../../../proto/words/node-state.ts";
import { isGlob } from "../../nodes/glob.ts";
import { choosesNothing, parseSelector, type SelectorText } from "../../nodes/parse-selector.ts";
import { type CommandContext, UsageError } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { shellWord } from "../render/shell-word.ts";
import { formatCount } from "../render/units.ts";

/** What is said after every command that takes nodes. */
export const nodesHelp = "names, MAC addresses, serial numbers, or patterns such as 'pi-*'";

const stateTexts: Readonly<Record<NodeState, string>> = {
  online: "nodes whose agent reports",
  offline: "nodes whose agent does not report",
  discovered: "nodes of which no agent has ever reported",
  accepted: "nodes that are accepted",
  unaccepted: "nodes that are pending: not accepted",
  proved: "nodes that have proved an image",
  unproved: "nodes that have proved none",
  failed: "nodes whose last reimage failed",
  reimaging: "nodes that are being reimaged",
};
const states = Object.keys(stateTexts) as NodeState[];

/** The options by which a command line chooses nodes, as commander gives them. */
export type NodeChoiceOptions = Readonly<Partial<Record<NodeState, boolean>>> & {
  readonly all?: boolean;
  readonly selector?: readonly string[];
};

/** A chosen node: how the controller is asked about it, and how it is called for people. */
export interface ChosenNode {
  readonly node: string;
  readonly name: string;
  /** Absent when it was named in full, and so needed no selection. */
  readonly known?: Node;
}

/**
 * Adds the options by which a command chooses nodes, all in one group of its help.
 *
 * @param all what --all means, for example "every accepted node"
 */
export function addNodeChoice(command: Command, all?: string): Command {
  const add = (option: Option) => command.addOption(option.helpGroup("Which nodes (all that is given has to hold):"));
  if (all !== undefined) add(new Option("--all", all));
  add(
    new Option(
      "-l, --selector <labels>",
      "nodes with these labels: rack=a, rack!=a, 'rack in (a,b)', 'rack notin (a)', rack, '!rack', joined by commas",
    ).argParser((text: string, before: readonly string[] | undefined) => [...(before ?? []), text]),
  );
  for (const state of states) add(new Option(`--${state}`, stateTexts[state]));
  return command;
}

/** What a command line chooses. */
export function selectorTextOf(options: NodeChoiceOptions, nodes: readonly string[]): SelectorText {
  return {
    nodes,
    all: options.all === true,
    labelSelector: (options.selector ?? []).filter((text) => text.trim() !== "").join(","),
    states: states.filter((state) => options[state] === true),
  };
}

/** Throws a UsageError unless nodes are chosen, in one way. @param verb what is done to them: "accept" */
export function requireNodeChoice(verb: string, text: SelectorText): void {
  if (choosesNothing(text))
    throw new UsageError(
      `name the nodes to ${verb}, or give --all (not both), labels (-l rack=a) or a state such as --offline`,
    );
  if (text.all && text.nodes.length > 0) throw new UsageError(`name the nodes to ${verb}, or give --all (not both)`);
  try {
    parseSelector(text);
  } catch (error) {
    throw new UsageError(Failure.from(error).message);
  }
}

/** The same for the wire. */
export function selectorToWire({ nodes, all, labelSelector, states: wanted }: SelectorText): NodeSelector {
  return { nodes: [...nodes], all, labelSelector, states: wanted.map(nodeStates.toWire) };
}

/** Whether a choice needs nobody who understands selectors: names in full, or every node. */
export function isPlain({ nodes, labelSelector, states: wanted }: SelectorText): boolean {
  return labelSelector === "" && wanted.length === 0 && !nodes.some(isGlob);
}

/** The name of the one node, when a choice is just that; undefined when the controller has to be asked what is meant. */
export function onlyName(text: SelectorText): string | undefined {
  const [only, ...others] = text.nodes;
  return others.length === 0 && isPlain(text) ? only : undefined;
}

/**
 * Asks the controller which nodes are meant. The answer may be empty.
 *
 * @throws Failure for a controller that is too old to know selectors: it would take labels and states for nothing
 */
export async function selectNodes(
  { client, signal }: CommandContext,
  text: SelectorText,
  acceptedOnly: boolean,
): Promise<readonly Node[]> {
  try {
    return (await client.selectNodes({ selector: selectorToWire(text), acceptedOnly }, signal)).nodes;
  } catch (error) {
    const cause = error instanceof Failure ? error.cause : undefined;
    if (!isServiceError(cause) || cause.code !== Status.UNIMPLEMENTED) throw error;
    throw new Failure(
      "unsupported",
      "the controller is older than this program and knows no patterns, labels and states: name one node in full, or update it",
      { cause: error },
    );
  }
}

/**
 * The nodes that a command line chooses, at least one, by name. One that is named in full is taken as it is: only the
 * command itself can tell whether it exists.
 *
 * @param verb what is done to them: "reboot"
 * @param acceptedOnly whether nodes that are not named in full have to be accepted
 */
export async function chooseNodes(
  context: CommandContext,
  verb: string,
  { options, nodes, acceptedOnly }: { options: NodeChoiceOptions; nodes: readonly string[]; acceptedOnly: boolean },
): Promise<readonly ChosenNode[]> {
  const text = selectorTextOf(options, nodes);
  requireNodeChoice(verb, text);
  const only = onlyName(text);
  if (only !== undefined) return [{ node: only, name: only }];
  const found = await selectNodes(context, text, acceptedOnly);
  if (found.length === 0) throw new Failure("invalid", describeNone(text, acceptedOnly));
  return found.map((node) => ({ node: node.nodeId, name: node.name, known: node }));
}

/** Splits the words of a command that takes nodes and then one thing more. Throws a UsageError when that is missing. */
export function splitLast(
  words: readonly string[],
  what: string,
): { readonly nodes: readonly string[]; readonly last: string } {
  const last = words.at(-1);
  if (last === undefined) throw new UsageError(`missing required argument '${what}'`);
  return { nodes: words.slice(0, -1), last };
}

/** Whose records a command reads: of one node as it was named, of several by their ids, or of all. */
export interface RecordsOf {
  readonly node: string;
  readonly nodeIds: readonly string[];
  /** Whether records of several nodes may come, so that each needs the name of its own. */
  readonly isMixed: boolean;
  /** An older controller does not know ids, and sends the records of all. */
  readonly isWanted: (nodeId: string) => boolean;
}

/** Chooses whose records to read; all where nothing is chosen. */
export async function chooseRecordsOf(
  context: CommandContext,
  what: string,
  options: NodeChoiceOptions,
  nodes: readonly string[],
): Promise<RecordsOf> {
  const everybody = { node: "", nodeIds: [], isMixed: true, isWanted: () => true };
  if (choosesNothing(selectorTextOf(options, nodes))) return everybody;
  const chosen = await chooseNodes(context, `read the ${what} of`, { options, nodes, acceptedOnly: false });
  const [only] = chosen;
  if (only !== undefined && only.known === undefined) return { ...everybody, node: only.node, isMixed: false };
  const nodeIds = chosen.map(({ node }) => node);
  const wanted = new Set(nodeIds);
  return { node: "", nodeIds, isMixed: chosen.length > 1, isWanted: (nodeId) => wanted.has(nodeId) };
}

/** The chosen nodes within a question: by name, or how many where their names stand above it. */
export function describeChosen(chosen: readonly ChosenNode[]): string {
  const [only, ...others] = chosen;
  return only !== undefined && others.length === 0 ? printable(only.name) : formatCount(chosen.length, "node");
}

/** Why a choice means no node. */
export function describeNone(text: SelectorText, acceptedOnly: boolean): string {
  const asked = [
    ...text.nodes,
    ...(text.labelSelector === "" ? [] : [`-l ${shellWord(text.labelSelector)}`]),
    ...text.states.map((state) => `--${state}`),
  ].join(" ");
  const which = acceptedOnly && text.nodes.length === 0 ? "no accepted node" : "no node";
  return asked === ""
    ? `${which} is known: "controller nodes" lists them, "controller node accept" accepts them`
    : `${which} matches ${asked}; see "controller nodes --show-labels"`;
}
