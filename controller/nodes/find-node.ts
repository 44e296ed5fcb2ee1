import type { NodeId } from "../../proto/names/node-id.ts";
import { parseMacAddress } from "../../proto/names/node-id.ts";
import { invalid, notFound, type Refusal } from "../refusal/refusal.ts";
import type { Node } from "./node.ts";
import type { Board } from "./parse-board-path.ts";

/**
 * The node that a person means: by name, MAC address in any usual notation, or serial number. Throws a Failure when
 * two nodes have that serial number.
 */
export function findNode(nodes: Iterable<Node>, text: string): Node | undefined {
  const all = [...nodes];
  const id = parseMacAddress(text);
  const named = all.find((node) => node.name === text) ?? all.find((node) => node.id === id);
  if (named !== undefined || text === "") return named;
  const serial = text.toLowerCase();
  const [first, ...more] = all.filter((node) => node.facts?.serial === serial);
  if (first === undefined || more.length === 0) return first;
  const names = [first, ...more].map((node) => node.name).join(", ");
  throw invalid(`several nodes have the serial number ${text}: ${names}; use a name or a MAC address`);
}

/** As `findNode`; throws a Refusal (not-found) when there is none. */
export function requireNode(nodes: Iterable<Node>, text: string): Node {
  const node = findNode(nodes, text);
  if (node === undefined) throw noSuchNode(text);
  return node;
}

/** The refusal for an unknown node name. */
export function noSuchNode(text: string): Refusal {
  return notFound(`there is no node "${text}"; "controller nodes" lists those that exist`);
}

/**
 * The MAC address of the board that firmware names by MAC address or by the last eight digits of its serial number;
 * undefined when no node is known by that serial number, or several are.
 */
export function findBoard(nodes: Iterable<Node>, board: Board | undefined): NodeId | undefined {
  if (board === undefined) return undefined;
  if ("mac" in board) return board.mac;
  const [node, ...more] = [...nodes].filter(({ facts }) => facts?.serial.toLowerCase().endsWith(board.serial));
  return more.length === 0 ? node?.id : undefined;
}
