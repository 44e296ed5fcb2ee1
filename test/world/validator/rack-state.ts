import type { Content, Entry } from "../history/history.ts";
import type { EntryOf } from "./finding.ts";

/** What is true of the rack at one moment of a history. */
export interface RackState {
  /** By the card's name. */
  readonly contents: Map<string, Content>;
  /** Cards and disks in each board. */
  readonly cardsOf: Map<string, Set<string>>;
  readonly macOf: Map<string, string>;
  readonly serialOf: Map<string, string>;
  /** The boot in which each board is. */
  readonly boots: Map<string, EntryOf<"up">>;
  /** The last that was heard of each reimage; "lost" is the phase of those that went with the database. */
  readonly reimages: Map<string, EntryOf<"reimage">>;
}

export function createRackState(): RackState {
  return {
    contents: new Map(),
    cardsOf: new Map(),
    macOf: new Map(),
    serialOf: new Map(),
    boots: new Map(),
    reimages: new Map(),
  };
}

/** Takes one more entry into account. */
export function advance(state: RackState, entry: Entry): void {
  switch (entry.what) {
    case "board":
      state.macOf.set(entry.board, entry.mac);
      state.serialOf.set(entry.board, entry.serial);
      return;
    case "card":
      state.contents.set(entry.card, entry.content);
      return;
    case "inserted": {
      for (const cards of state.cardsOf.values()) cards.delete(entry.card);
      const isCard = (name: string): boolean => !name.startsWith("disk-");
      const others = [...(state.cardsOf.get(entry.board) ?? [])].filter((each) => isCard(each) !== isCard(entry.card));
      state.cardsOf.set(entry.board, new Set([...others, entry.card]));
      return;
    }
    case "touched":
      state.contents.set(entry.card, { kind: "torn" });
      return;
    case "whole":
      state.contents.set(entry.card, entry.content);
      return;
    case "up":
      state.boots.set(entry.board, entry);
      return;
    case "down":
      state.boots.delete(entry.board);
      return;
    case "database-lost":
      for (const [id, reimage] of state.reimages) state.reimages.set(id, { ...reimage, phase: "lost" });
      return;
    case "reimage":
      state.reimages.set(entry.reimage, entry);
      return;
    default:
  }
}

/** What the cards of the boards with that MAC address hold. */
export function contentsAt(state: RackState, mac: string): readonly Content[] {
  return [...state.macOf]
    .filter(([, each]) => each === mac)
    .flatMap(([board]) => [...(state.cardsOf.get(board) ?? [])])
    .flatMap((card) => state.contents.get(card) ?? []);
}

export function hasEnded(phase: string): boolean {
  return phase === "proved" || phase === "failed" || phase === "cancelled";
}
