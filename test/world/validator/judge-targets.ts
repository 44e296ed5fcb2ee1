import type { Entry } from "../history/history.ts";
import type { EntryOf, Finding } from "./finding.ts";
import { advance, contentsAt, createRackState, hasEnded, type RackState } from "./rack-state.ts";

/** An operator's word and what it changes are noted within this time of each other, in milliseconds. */
const answerMs = 2_000;
/** What has ended sets its last boot target within this time, of which the controller runs, in milliseconds. */
const settlingMs = 5 * 60_000;

/** Whether every change of a boot target had a reason. */
export function judgeTargets(history: readonly Entry[]): readonly Finding[] {
  const state = createRackState();
  const findings: Finding[] = [];
  const targets = new Map<string, string>();
  /** By node and serial number: a MAC address is not a board. */
  const ofBoard = new Map<string, Set<string>>();
  const serials = new Map<string, string>();
  const stuck = new Map<string, number>();
  /** The local targets that operators gave last. */
  const words = new Map<string, string>();
  /** Nodes whose cards were exchanged: what their targets mean, nobody knows. */
  const exchanged = new Set<string>();
  for (const entry of history) {
    if (entry.what === "controller" && entry.is === "up") renew(state, entry.at);
    if (entry.what === "inserted" && state.boots.size + targets.size > 0) {
      exchanged.add(state.macOf.get(entry.board) ?? "");
    }
    advance(state, entry);
    if (entry.what === "stuck") {
      const mac = state.macOf.get(entry.board) ?? "";
      stuck.set(mac, (stuck.get(mac) ?? 0) + 1);
    }
    if (entry.what === "database-lost") targets.clear();
    if (entry.what === "forgotten") targets.delete(entry.node);
    if (entry.what !== "node") continue;
    const { node, target, image, at } = entry;
    const now = `${target} ${image ?? ""}`;
    const before = targets.get(node);
    targets.set(node, now);
    const { serial = "" } = entry;
    const ofThisBoard = ofBoard.get(`${node} ${serial}`) ?? new Set();
    const wasBefore = ofThisBoard.has(now);
    const isAnotherBoard = serials.has(node) && serials.get(node) !== serial;
    serials.set(node, serial);
    ofBoard.set(`${node} ${serial}`, ofThisBoard.add(now));
    if (before === now) continue;
    // Another board begins in the agent, and the first one is what it was when it comes back.
    if (isAnotherBoard && (target === "agent" || wasBefore)) continue;
    if (isAnswered(history, entry)) {
      words.set(node, now);
      continue;
    }
    if (reimageOf(state, node, at) !== undefined) {
      // What was an operator's word, with a warning, is given back as that.
      const isWord = words.get(node) === now;
      if (target === "local" && !isWord) words.delete(node);
      if (target === "local" && !isWord && !exchanged.has(node) && !holds(state, node, image)) {
        findings.push({
          invariant: "local-only-onto-its-image",
          at,
          text: `${node} is to boot ${image} from its card, which does not hold it`,
        });
      }
      continue;
    }
    // A node is discovered with the target agent.
    if (before === undefined && target === "agent") continue;
    // Its own system has shown itself.
    if (target === "local" && runs(state, node, image)) continue;
    // Its card does not boot.
    if (target === "agent" && (stuck.get(node) ?? 0) >= 3) continue;
    findings.push({
      invariant: "nobody-else-moves-a-target",
      at,
      text: `the target of ${node} became ${now.trim()} (it was ${before?.trim() ?? "not known"}), and nobody said so`,
    });
  }
  return findings;
}

/** A reimage of the node that has not ended, or is ending just now. */
function reimageOf(state: RackState, node: string, at: number): EntryOf<"reimage"> | undefined {
  return [...state.reimages.values()].find((each) => each.node === node && isAtWork(each, at));
}

/** The target of one that has ended is set once it is saved; where that fails, it is tried again for a while. */
function isAtWork({ phase, at: since }: EntryOf<"reimage">, at: number): boolean {
  if (phase === "queued" || phase === "preparing") return false;
  return !hasEnded(phase) || at - since < settlingMs;
}

/** The controller takes up again what it had not done when it was stopped. */
function renew(state: RackState, at: number): void {
  for (const [id, each] of state.reimages) if (hasEnded(each.phase)) state.reimages.set(id, { ...each, at });
}

function holds(state: RackState, node: string, image: string | undefined): boolean {
  return contentsAt(state, node).some((content) => content.kind === "image" && content.image === image);
}

function runs(state: RackState, node: string, image: string | undefined): boolean {
  return [...state.boots.values()].some(
    ({ board, system, kernelOf }) =>
      state.macOf.get(board) === node && system === "card" && (image === undefined || kernelOf === image),
  );
}

function isAnswered(history: readonly Entry[], { node, target, at }: EntryOf<"node">): boolean {
  return history.some(
    (entry) =>
      entry.what === "answered" &&
      entry.request.ask === "boot" &&
      entry.request.node === node &&
      entry.request.target === target &&
      entry.at >= at &&
      entry.at - at <= answerMs,
  );
}
