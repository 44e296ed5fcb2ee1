import { cutText } from "../../proto/cut-text.ts";
import { closestWords } from "../../proto/names/closest-word.ts";
import { compareNames } from "../../proto/names/natural-order.ts";
import type { NodeId } from "../../proto/names/node-id.ts";
import { parseMacAddress } from "../../proto/names/node-id.ts";
import { invalid, notFound, type Refusal } from "../refusal/refusal.ts";
import { describeReplacement, hasSetAside, serialOf } from "./judge-board.ts";
import type { Node } from "./node.ts";
import type { Board } from "./parse-board-path.ts";

/**
 * The node that a person means: by name, MAC address in any usual notation, serial number, or its last eight digits,
 * which is what firmware names a board by. Throws a Failure when several nodes are meant thereby.
 */
export function findNode(nodes: Iterable<Node>, text: string): Node | undefined {
  const all = [...nodes];
  const id = parseMacAddress(text);
  const named = all.find((node) => node.name === text) ?? all.find((node) => node.id === id);
  if (named !== undefined || text === "") return named;
  const serial = text.toLowerCase();
  const whole = all.filter((node) => serialOf(node) === serial);
  const [first, ...more] = whole.length > 0 ? whole : all.filter((node) => endsIn(node, serial));
  if (first === undefined || more.length === 0) return first;
  const names = [first, ...more].map((node) => node.name).join(", ");
  throw invalid(`several nodes have the serial number ${text}: ${names}; use a name or a MAC address`);
}

/** As `findNode`; throws a Refusal (not-found) when there is none. */
export function requireNode(nodes: Iterable<Node>, text: string): Node {
  const all = [...nodes];
  const node = findNode(all, text);
  if (node !== undefined) return node;
  const replacing = all.find((candidate) => hasSetAside(candidate, text));
  const replaced = replacing && describeReplacement(replacing);
  throw replaced === undefined
    ? noSuchNode(text, nearNames(text, all))
    : notFound(`"${cutText(text, 80)}" is not there: ${replaced}`);
}

/** The refusal for an unknown node name. @param near names that may have been meant */
export function noSuchNode(text: string, near: readonly string[] = []): Refusal {
  const meant = near.length === 0 ? "" : `; did you mean ${near.join(" or ")}?`;
  return notFound(`there is no node "${cutText(text, 80)}"${meant}; "controller nodes" lists those that exist`);
}

/** Names of nodes that a misspelt one may stand for, the likeliest first; few, because they go into a message. */
export function nearNames(text: string, nodes: readonly Node[]): readonly string[] {
  const word = text.slice(0, 64);
  const names = nodes.map(({ name }) => name).toSorted(compareNames);
  const beginning = word.length < 2 ? [] : names.filter((name) => name.startsWith(word.toLowerCase()));
  return [...new Set([...closestWords(word, names), ...beginning])].slice(0, 3);
}

/**
 * The MAC address of the board that firmware names by MAC address or by the last eight digits of its serial number;
 * undefined when no node is known by that serial number, or several are.
 */
export function findBoard(nodes: Iterable<Node>, board: Board | undefined): NodeId | undefined {
  if (board === undefined) return undefined;
  if ("mac" in board) return board.mac;
  const [node, ...more] = [...nodes].filter((candidate) => endsIn(candidate, board.serial));
  return more.length === 0 ? node?.id : undefined;
}

/** Whether the eight digits are the last ones of the board's serial number. */
function endsIn(node: Node, digits: string): boolean {
  return /^[0-9a-f]{8}$/.test(digits) && serialOf(node).toLowerCase().endsWith(digits);
}
