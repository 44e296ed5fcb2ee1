import type { Entry } from "../history/history.ts";
import type { EntryOf, Finding, Invariant } from "./finding.ts";
import { advance, createRackState, hasEnded, type RackState } from "./rack-state.ts";

/** An order that was under way when its reimage ended may still arrive, so long after it, in milliseconds. */
const underWayMs = 2_000;
/** So long an agent may take to stop a write, or the controller to tell it to. */
const stoppingMs = 60_000;

/** Whether everything that was written was asked for, and by one at a time. */
export function judgeWrites(history: readonly Entry[]): readonly Finding[] {
  const state = createRackState();
  const findings: Finding[] = [];
  const open = new Map<string, string>();
  const admitted = new Set<string>();
  /** Serial numbers of the boards that the controller knew when it was asked: by node, and by reimage. */
  const known = new Map<string, string>();
  const asked = new Map<string, string>();
  for (const entry of history) {
    advance(state, entry);
    if (entry.what === "reimage" && entry.phase === "writing") admitted.add(entry.reimage);
    if (entry.what === "node") known.set(entry.node, entry.serial ?? "");
    if (entry.what === "reimage" && entry.phase === "queued") asked.set(entry.reimage, known.get(entry.node) ?? "");
    if (entry.what === "touched" || entry.what === "whole") findings.push(...judgeLateWrite(entry, state));
    if (entry.what === "operation-ended") open.delete(entry.operation);
    if (entry.what !== "operation") continue;
    const found = (invariant: Invariant, text: string): void => void findings.push({ invariant, at: entry.at, text });
    for (const [operation, card] of open) {
      if (card === entry.card) found("one-writer", `${entry.operation} begins on ${card} while ${operation} writes`);
    }
    open.set(entry.operation, entry.card);
    const [meant, serial] = [asked.get(entry.reimage) ?? "", state.serialOf.get(entry.board)];
    if (meant !== "" && meant !== serial) {
      found("writes-are-asked-for", `${entry.operation} begins on the board ${serial}, but ${meant} was meant`);
    }
    const unasked = whyUnasked(entry, state, admitted);
    if (unasked !== undefined) found("writes-are-asked-for", `${entry.operation} on ${entry.card}: ${unasked}`);
    const reimage = state.reimages.get(entry.reimage);
    if (reimage !== undefined && hasEnded(reimage.phase) && entry.at > reimage.at + underWayMs) {
      found("no-write-after-the-end", `${entry.operation} begins, but ${entry.reimage} is ${reimage.phase}`);
    }
  }
  return findings;
}

/** What ended without a proof may go on only where the controller said that it does not know. */
function judgeLateWrite(entry: EntryOf<"touched"> | EntryOf<"whole">, state: RackState): readonly Finding[] {
  const reimage = state.reimages.get(entry.reimage);
  if (reimage === undefined || !["failed", "cancelled"].includes(reimage.phase)) return [];
  const { verdict = "", message = "", at, phase } = reimage;
  const text = `${entry.card} is ${entry.what}, but ${entry.reimage} is ${phase}${verdict && ` (${verdict})`}: ${message}`;
  if (entry.what === "touched" && verdict === "untouched") {
    return [{ invariant: "untouched-is-true", at: entry.at, text }];
  }
  const isDoubted = verdict === "unknown" || /may still be running/.test(message);
  if (isDoubted || entry.at - at <= stoppingMs) return [];
  return [{ invariant: "no-write-after-the-end", at: entry.at, text }];
}

function whyUnasked(
  { reimage, board, card }: EntryOf<"operation">,
  state: RackState,
  admitted: ReadonlySet<string>,
): string | undefined {
  const asked = state.reimages.get(reimage);
  if (asked === undefined) return `there is no reimage ${reimage}`;
  if (state.macOf.get(board) !== asked.node) return `${board} is not ${asked.node}, which was to be reimaged`;
  if (card.startsWith("disk-")) return "no disk but the card was chosen";
  if (!admitted.has(reimage)) return `it is still ${asked.phase}`;
  return undefined;
}
