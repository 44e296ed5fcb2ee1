import type * as wire from "../gen/pallet/v1/agent.ts";
import { limits } from "../limits.ts";

/** One thing that the kernel tells of a board; see pallet.v1.BoardItem. */
export interface BoardItem {
  readonly name: string;
  readonly value: string;
}

/** Limits of what a board may report: an agent keeps them, and a controller believes no more. */
export const boardLimits = {
  items: limits.board.items.most,
  bytes: limits.board.bytes.most,
  nameCharacters: limits.board.nameCharacters.most,
  valueCharacters: limits.board.valueCharacters.most,
  logCharacters: limits.board.logCharacters.most,
} as const;

/** The items as they travelled, as far as they keep the limits. */
export function boardItemsFromWire(items: readonly wire.BoardItem[]): readonly BoardItem[] {
  let bytes = 0;
  return items.slice(0, boardLimits.items).flatMap(({ name, value }) => {
    const item = { name: name.slice(0, boardLimits.nameCharacters), value: value.slice(0, boardLimits.logCharacters) };
    bytes += item.name.length + item.value.length;
    return bytes <= boardLimits.bytes ? [item] : [];
  });
}
