import type { Entry } from "../history/history.ts";
import type { EntryOf, Finding } from "./finding.ts";
import { advance, createRackState, hasEnded } from "./rack-state.ts";

/** So long a board has to have been in its last boot, in milliseconds. */
const restMs = 10 * 60_000;

/** Whether everything came to rest, and where. */
export function judgeEnd(history: readonly Entry[]): readonly Finding[] {
  const state = createRackState();
  for (const entry of history) advance(state, entry);
  const at = history.at(-1)?.at ?? 0;
  const stands = history.filter((entry) => entry.what === "stands");
  const lost = stands.flatMap((entry): readonly Finding[] => {
    const text = whyLost(entry, state.contents.get(entry.card)?.kind, at);
    return text === undefined ? [] : [{ invariant: "nobody-is-lost", at, text: `${entry.board} ${text}` }];
  });
  const late = stands.flatMap((entry): readonly Finding[] => {
    const content = state.contents.get(entry.card);
    if (entry.in !== "card" || content?.kind !== "image") return [];
    const reimage = state.reimages.get(content.reimage);
    if (reimage === undefined || reimage.node !== entry.mac) return [];
    if (reimage.phase === "proved" || reimage.phase === "lost") return [];
    // What was reimaged behind its MAC address since may have been another board.
    if (history.some((each) => each.what === "board" && each.mac === entry.mac && each.board !== entry.board))
      return [];
    const text = `${entry.board} runs what ${reimage.reimage} wrote, which is ${reimage.phase}`;
    return [{ invariant: "late-proof-counts", at, text }];
  });
  return [
    ...judgeRollouts(history, at),
    ...lost,
    ...late,
    ...stands.flatMap((entry) => judgeService(entry, history, at)),
  ];
}

function whyLost(entry: EntryOf<"stands">, content: string | undefined, at: number): string | undefined {
  if (entry.in === "nothing") return "runs nothing";
  if (at - entry.since < restMs) return "keeps restarting";
  return entry.in === "card" && content !== "image" ? `runs from a card that is ${content}` : undefined;
}

function judgeRollouts(history: readonly Entry[], at: number): readonly Finding[] {
  const rollouts = new Map<string, boolean>();
  const reimages = new Map<string, EntryOf<"reimage">>();
  for (const entry of history) {
    if (entry.what === "database-lost") {
      rollouts.clear();
      reimages.clear();
    }
    if (entry.what === "rollout") rollouts.set(entry.rollout, entry.ended);
    if (entry.what === "reimage") reimages.set(entry.reimage, entry);
  }
  const texts = [
    ...[...rollouts].filter(([, ended]) => !ended).map(([rollout]) => `${rollout} has not ended`),
    ...[...reimages.values()]
      .filter(({ phase }) => !hasEnded(phase))
      .map(({ reimage, node, phase }) => `${reimage} of ${node} is still ${phase}`),
  ];
  return texts.map((text) => ({ invariant: "every-run-ends", at, text }));
}

/** Whether the board is in its own system then, and for so long afterwards that its agent was heard again. */
function staysUp({ board }: EntryOf<"stands">, history: readonly Entry[], { what, at }: Entry): boolean {
  const boots = history.filter((entry) => (entry.what === "up" || entry.what === "down") && entry.board === board);
  const before = boots.findLast((entry) => entry.at <= at);
  const isUp = (entry: Entry): boolean => entry.at > at && entry.what === "controller" && entry.is === "up";
  const back = what === "forgotten" ? at : (history.find(isUp)?.at ?? at);
  const heardBy = back + 2 * 60_000;
  if (before?.what !== "up" || before.system !== "card" || before.at > at - 60_000) return false;
  const isCut = (entry: Entry): boolean =>
    entry.what === "cut" && entry.board === board && entry.at < heardBy && entry.at + entry.forMs > at;
  if (history.some(isCut)) return false;
  return !boots.some((entry) => entry.at > at && entry.at < heardBy);
}

/** A card that was proved in this board, and not touched since, is what the board runs; unless an operator said agent. */
function judgeService(stands: EntryOf<"stands">, history: readonly Entry[], at: number): readonly Finding[] {
  const { board, mac, card } = stands;
  const state = createRackState();
  let proved: EntryOf<"reimage"> | undefined;
  const stamps = new Map<string, string>();
  for (const entry of history) {
    advance(state, entry);
    if (entry.what === "whole") stamps.set(entry.card, entry.reimage);
    if (entry.what === "reimage" && entry.node === mac) {
      if (entry.phase === "proved" && stamps.get(card) === entry.reimage) proved = entry;
      // An order to write that was lost: nobody but the agent knows whether it arrived, and the verdict says so.
      if (entry.verdict === "unknown") proved = undefined;
    }
    if ((entry.what === "touched" || entry.what === "inserted") && entry.card === card) proved = undefined;
    // An operator has reimaged another board behind this MAC address; see "what it lets pass" in test/README.md.
    if (entry.what === "operation" && entry.board !== board && state.macOf.get(entry.board) === mac) proved = undefined;
    const isWord = entry.what === "answered" && entry.request.ask === "boot" && entry.request.node === mac;
    if (isWord && entry.refusal === undefined) proved = undefined;
    // What comes up before its resident agent was heard again, comes up in the agent.
    const isForgotten = entry.what === "database-lost" || (entry.what === "forgotten" && entry.node === mac);
    if (isForgotten && !staysUp(stands, history, entry)) proved = undefined;
  }
  if (proved === undefined || stands.in === "card") return [];
  const text = `${board} has ${proved.image} on its card, as ${proved.reimage} proved, and is in ${stands.in === "agent" ? "the agent" : "nothing"}`;
  return [{ invariant: "intact-stays-in-service", at, text }];
}
