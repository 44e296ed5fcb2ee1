import { areDifferentBoards, serialOf } from "./judge-board.ts";
import type { BoardWords, Node } from "./node.ts";

/** What a node was before a reimage that touched nothing. */
export interface GivenBack extends Pick<BoardWords, "bootTarget" | "proved" | "installation"> {
  /** Of the board that it is about; absent when unknown. */
  readonly serial?: string;
}

/** The record with what it said before; what was said since of another reimage stays. */
export function givenBack<Said extends BoardWords>(said: Said, reimageId: string, given: GivenBack): Said {
  const { proved, installation, ...rest } = said;
  const isVoided = installation?.reimageId === reimageId;
  const { proved: provedThen, installation: installationThen } = isVoided ? given : said;
  return {
    ...(rest as Said),
    ...(provedThen && { proved: provedThen }),
    ...(installationThen && { installation: installationThen }),
    bootTarget: given.bootTarget,
  };
}

/** Whose it is: the board's that is there, that of one that was set aside meanwhile, or of none that is known. */
export function recipientOf(node: Node, serial: string): "present" | "set-aside" | "nobody" {
  if (!areDifferentBoards(serialOf(node), serial)) return "present";
  const replaced = node.board?.replaced;
  return replaced !== undefined && !areDifferentBoards(replaced.serial, serial) ? "set-aside" : "nobody";
}

/** As `givenBack`, for the board that was set aside. */
export function givenBackAside(node: Node, reimageId: string, given: GivenBack): Node {
  const { board } = node;
  if (board?.replaced === undefined) return node;
  return { ...node, board: { ...board, replaced: givenBack(board.replaced, reimageId, given) } };
}
