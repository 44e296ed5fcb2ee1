import type { Entry } from "../history/history.ts";
import type { EntryOf, Finding } from "./finding.ts";
import { advance, contentsAt, createRackState, type RackState } from "./rack-state.ts";

/** Whether what the controller says of the end of a reimage is so. */
export function judgeVerdicts(history: readonly Entry[]): readonly Finding[] {
  const state = createRackState();
  const findings: Finding[] = [];
  const touched = new Map<string, string>();
  for (const entry of history) {
    // Kept once more after a restart, it is the same verdict of the same moment.
    const isRepeated = entry.what === "reimage" && state.reimages.get(entry.reimage)?.phase === entry.phase;
    advance(state, entry);
    if (isRepeated) continue;
    if (entry.what === "touched") touched.set(entry.reimage, entry.card);
    if (entry.what !== "reimage") continue;
    if (entry.phase === "proved") findings.push(...judgeProof(entry, state));
    if (entry.message !== undefined) findings.push(...judgeMessage(entry, entry.message, state, touched));
  }
  return findings;
}

function judgeProof(verdict: EntryOf<"reimage">, state: RackState): readonly Finding[] {
  const { reimage, image, node, boot, at } = verdict;
  const wrong = (text: string): readonly Finding[] => [
    { invariant: "proved-is-true", at, text: `${reimage} of ${node} is proved, but ${text}` },
  ];
  const held = contentsAt(state, node).some(
    (content) => content.kind === "image" && content.image === image && content.reimage === reimage,
  );
  if (!held) return wrong(`no card of a board with that MAC address holds ${image} with its stamp`);
  const up = [...state.boots.values()].find((each) => each.boot === boot);
  if (up === undefined) return [];
  if (up.system !== "card" || up.kernelOf !== image) return wrong(`the boot ${boot} runs something else`);
  return state.macOf.get(up.board) === node ? [] : wrong(`the boot ${boot} is of another board`);
}

/** What a verdict says of the card, in its words. */
function judgeMessage(
  { reimage, image, node, at, verdict = "" }: EntryOf<"reimage">,
  message: string,
  state: RackState,
  touched: ReadonlyMap<string, string>,
): readonly Finding[] {
  const findings: Finding[] = [];
  // Cards can be exchanged meanwhile: of one that is in another board nothing can be known.
  const written = touched.get(reimage);
  const own = [...state.cardsOf].find(([, cards]) => written !== undefined && cards.has(written))?.[0];
  if (written !== undefined && state.macOf.get(own ?? "") !== node) return findings;
  const contents = contentsAt(state, node);
  const saysUntouched =
    verdict === "untouched" || /untouched|before anything was written|before it began|nothing was erased/.test(message);
  if (saysUntouched && touched.has(reimage)) {
    findings.push({
      invariant: "untouched-is-true",
      at,
      text: `${reimage} of ${node} has written, and says: ${message}`,
    });
  }
  const saysWhole = verdict === "unproved" || /(?<!no )holds the image/.test(message);
  const isWhole = contents.some(
    (content) => content.kind === "image" && content.image === image && content.reimage === reimage,
  );
  if (saysWhole && !isWhole) {
    findings.push({
      invariant: "verdict-names-the-card",
      at,
      text: `no card of ${node} holds ${image} as ${reimage} wrote it, which says: ${message}`,
    });
  }
  const saysTorn = verdict === "no-system" || /has no (system|partition table)/.test(message);
  if (saysTorn && !contents.some(({ kind }) => kind === "torn")) {
    findings.push({
      invariant: "verdict-names-the-card",
      at,
      text: `no card of ${node} is without a system, but ${reimage} says: ${message}`,
    });
  }
  return findings;
}
