import type * as wire from "../gen/pallet/v1/agent.ts";

/** One thing that the kernel tells of a board; see pallet.v1.BoardItem. */
export interface BoardItem {
  readonly name: string;
  readonly value: string;
}

/** Limits of what a board may report: an agent keeps them, and a controller believes no more. */
export const boardLimits = {
  items: 2_000,
  bytes: 512 * 1024,
  valueCharacters: 4_096,
  logCharacters: 64 * 1024,
} as const;

/** The items as they travelled, as far as they keep the limits. */
export function boardItemsFromWire(items: readonly wire.BoardItem[]): readonly BoardItem[] {
  let bytes = 0;
  return items.slice(0, boardLimits.items).flatMap(({ name, value }) => {
    const item = { name: name.slice(0, 512), value: value.slice(0, boardLimits.logCharacters) };
    bytes += item.name.length + item.value.length;
    return bytes <= boardLimits.bytes ? [item] : [];
  });
}
