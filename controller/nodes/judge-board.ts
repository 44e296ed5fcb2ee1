import type { BoardWords, Node } from "./node.ts";
import { isDefaultNodeName } from "./node-name.ts";

/** What a registration says of the board behind a MAC address. */
export type BoardVerdict = "same" | "another" | "own-again";

/** The serial number that the node is known by; empty when none was ever reported. */
export function serialOf({ board, facts }: Pick<Node, "board" | "facts">): string {
  return board?.serial ?? facts?.serial ?? "";
}

/** Whether two serial numbers are of different boards. An empty one says nothing: not every kernel can read it. */
export function areDifferentBoards(one: string, other: string): boolean {
  const [first, second] = [one, other].map((serial) => serial.toLowerCase().replace(/^0+/, ""));
  return first !== "" && second !== "" && first !== second;
}

/**
 * The record of a node whose agent registers with this serial number. A MAC address is not a board: network adapters
 * move, and MAC addresses are cloned. Another serial number behind it is another board, which begins as one that was
 * just discovered; what is known of the first one is set aside until that one comes back, or the operator accepts the
 * other in its place. A record that says nothing of its board yet simply becomes the other's.
 *
 * @param newName a name that no node has, nor any that was set aside
 */
export function judgeBoard(
  before: Node,
  serial: string,
  { at, newName }: { readonly at: number; readonly newName: () => string },
): { readonly verdict: BoardVerdict; readonly node: Node } {
  const known = serialOf(before);
  if (!areDifferentBoards(known, serial)) {
    return { verdict: "same", node: withSerial(before, serial === "" ? known : serial) };
  }
  const replaced = before.board?.replaced;
  if (replaced !== undefined && !areDifferentBoards(replaced.serial, serial)) {
    return { verdict: "own-again", node: withSerial({ ...bare(before), ...own(replaced) }, serial) };
  }
  const other: Node = { ...bare(before), bootTarget: { kind: "agent" }, accepted: false };
  if (replaced === undefined && saysNothing(before)) return { verdict: "another", node: withSerial(other, serial) };
  const setAside = replaced ?? { ...own(before), serial: known, since: at };
  const name = replaced === undefined ? newName() : before.name;
  return { verdict: "another", node: { ...other, name, board: { serial, replaced: setAside } } };
}

/** The record of a board that the operator accepts: in place of the one that was set aside, where there is one. */
export function acceptBoard(node: Node): Node {
  const replaced = node.board?.replaced;
  if (replaced === undefined) return { ...node, accepted: true };
  const { board, ...rest } = node;
  const { name, labels } = replaced;
  return {
    ...rest,
    name,
    accepted: true,
    ...(labels && { labels }),
    ...(board && { board: { serial: board.serial } }),
  };
}

/** Whether a board of that name was set aside in this record. */
export function hasSetAside({ board }: Pick<Node, "board">, name: string): boolean {
  return board?.replaced?.name === name;
}

/** What an operator has to know about a board that is not the one that was known; undefined when it is. */
export function describeReplacement(node: Pick<Node, "name" | "board" | "id">): string | undefined {
  const { board, name, id } = node;
  if (board?.replaced === undefined) return undefined;
  const { replaced, serial } = board;
  return (
    `${name} is another board (serial number ${serial}) than ${replaced.name} (${replaced.serial}), whose MAC address ` +
    `${id} it has; "controller node accept ${name}" has it take over that name`
  );
}

function withSerial(node: Node, serial: string): Node {
  const replaced = node.board?.replaced;
  const { board: _, ...rest } = node;
  if (serial === "") return rest;
  return { ...rest, board: { serial, ...(replaced !== undefined && { replaced }) } };
}

/** Without what is known of the board, but for its name. */
function bare({
  proved: _,
  installation: __,
  board: ___,
  facts: ____,
  agent: _____,
  labels: ______,
  ...rest
}: Node): Node {
  return rest;
}

function own(said: BoardWords): BoardWords {
  const { name, accepted, labels, bootTarget, proved, installation } = said;
  return {
    name,
    accepted,
    bootTarget,
    ...(labels !== undefined && { labels }),
    ...(proved !== undefined && { proved }),
    ...(installation !== undefined && { installation }),
  };
}

/** Whether the record is as it was made when the node was discovered, but for what its agent says. */
export function saysNothing({ name, accepted, labels, bootTarget, proved, installation }: Node): boolean {
  if (accepted || labels !== undefined || proved !== undefined || installation !== undefined) return false;
  return bootTarget.kind === "agent" && isDefaultNodeName(name);
}
