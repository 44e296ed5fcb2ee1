import type { Entry } from "../history/history.ts";
import type { EntryOf, Finding, Invariant } from "./finding.ts";
import { hasEnded } from "./rack-state.ts";

/** One run of one hook for one reimage; the latest with that id. */
interface Run {
  readonly reimage: string;
  readonly told: string;
  readonly result?: "succeeded" | "failed" | "ended";
  /** How often the controller had started, or had failed to save something, when it began. */
  readonly life: number;
}

/** What an end has to be told to, and whether it was. */
interface Occasion {
  readonly id: string;
  readonly told: string;
  readonly at: number;
  readonly text: string;
  isTold: boolean;
}

/** Whether the operator's hooks ran at the moments that they are for, all of them, and nothing began before its hooks. */
export function judgeHooks(history: readonly Entry[]): readonly Finding[] {
  const own = history.find((entry) => entry.what === "hooks")?.hooks ?? [];
  const findings: Finding[] = [];
  const phases = new Map<string, string>();
  /** Reimages that a hook refused, before anything was written for them. */
  const refused = new Map<string, string>();
  const written = new Set<string>();
  /** Reimages whose turn has come. */
  const begun = new Set<string>();
  const runs = new Map<string, Run>();
  const occasions = new Map<string, Occasion>();
  let lives = 0;

  /** What failed after the proof can only be tasks: a failure of its own, beside that of a reimage which was proved late. */
  const idOf = (reimage: string, when: string, hook: string, told = ""): string =>
    `${reimage}_${when}${when === "after-failed" && told.startsWith("proved:") ? "-tasks" : ""}_${hook}`;
  const found = (invariant: Invariant, at: number, text: string): void => void findings.push({ invariant, at, text });

  function expect(when: string, { reimage, node }: { reimage: string; node: string }, told: string, at: number): void {
    for (const { name } of own.filter((hook) => hook.when === when)) {
      const id = idOf(reimage, when, name, told);
      const key = `${id} ${told}`;
      if (!occasions.has(key))
        occasions.set(key, { id, told, at, text: `${when} hook ${name} of ${reimage} (${node})`, isTold: false });
    }
  }

  function moves(entry: EntryOf<"reimage">): void {
    const { reimage, phase, node, message = "", hasTasks = false, verdict, at } = entry;
    const before = own.filter(({ when }) => when === "before-reimage").map(({ name }) => name);
    if (!["queued", "preparing", "failed", "cancelled"].includes(phase) && !begun.has(`${reimage} for good`)) {
      begun.add(`${reimage} for good`);
      for (const name of before) {
        const result = runs.get(idOf(reimage, "before-reimage", name))?.result;
        if (result === "succeeded") continue;
        found(
          "hooks-come-first",
          at,
          `${reimage} of ${node} is ${phase}, and its hook ${name} has ${result ?? "not run"}`,
        );
      }
    }
    if (phase !== "queued" && !hasEnded(phase)) begun.add(reimage);
    phases.set(reimage, phase);
    if (!hasEnded(phase)) return;
    const hook = refused.get(reimage);
    // Where an order was under way, nobody knows whether it arrived.
    if (hook !== undefined && verdict !== "untouched" && verdict !== "unknown")
      found("hooks-come-first", at, `${reimage} of ${node} is ${phase} (${verdict}), and its hook ${hook} had failed`);
    if (phase === "proved") {
      expect("after-proved", entry, "proved", at);
      if (!hasTasks) expect("after-configured", entry, "proved", at);
    } else if (begun.has(reimage)) expect("after-failed", entry, `${phase}: ${message}`, at);
  }

  function begins({ id, hook, when, reimage, told, node, at }: EntryOf<"hook"> & { readonly is: "begun" }): void {
    const which = `the ${when} hook ${hook} of ${reimage} (${node})`;
    if (id !== idOf(reimage, when, hook, told)) found("hooks-have-a-reason", at, `${which} has the id ${id}`);
    const { gives } = own.find((each) => each.name === hook && each.when === when) ?? {};
    if (!own.some((each) => each.name === hook && each.when === when))
      found("hooks-have-a-reason", at, `${which} is not for this node`);
    const last = runs.get(id);
    const hasRun = last?.result === "succeeded" || last?.result === "failed";
    if (hasRun && last?.life === lives)
      found("hooks-have-a-reason", at, `${which} runs again, and nothing had ended it`);
    if (when === "before-reimage") {
      const phase = phases.get(reimage) ?? "";
      // What it gave was in the memory of a controller that is gone.
      const isAskedAgain = gives === true && last !== undefined && last.life < lives && !hasEnded(phase);
      if (phase !== "preparing" && !isAskedAgain)
        found("hooks-have-a-reason", at, `${which} runs while that is ${phases.get(reimage)}`);
    } else {
      if (!occasions.has(`${id} ${told}`))
        found("hooks-have-a-reason", at, `${which} is told "${told}", which is not so`);
      if (last !== undefined && last.told !== told)
        found("hooks-have-a-reason", at, `${which} is told "${told}" under the id that told "${last.told}"`);
    }
    refused.delete(reimage);
    runs.set(id, { told, reimage, life: lives });
  }

  for (const entry of history) {
    // What could not be saved is done again, too.
    if ((entry.what === "controller" && entry.is === "up") || entry.what === "not-saved") lives += 1;
    if (entry.what === "reimage") moves(entry);
    if (entry.what === "tasks" && entry.is === "configured") expect("after-configured", entry, "proved", entry.at);
    if (entry.what === "tasks" && (entry.is === "failed" || entry.is === "cancelled"))
      expect("after-failed", entry, `proved: ${entry.message ?? ""}`, entry.at);
    // What waited went with it.
    if (entry.what === "database-lost") for (const occasion of occasions.values()) occasion.isTold = true;
    if (entry.what === "operation") {
      written.add(entry.reimage);
      if (refused.has(entry.reimage))
        found(
          "hooks-come-first",
          entry.at,
          `${entry.operation} begins, and the hook ${refused.get(entry.reimage)} has failed`,
        );
    }
    if (entry.what !== "hook") continue;
    if (entry.is === "begun") begins(entry);
    else {
      const run = runs.get(entry.id);
      if (run === undefined) continue;
      runs.set(entry.id, { ...run, result: entry.is });
      if (entry.is === "failed" && entry.when === "before-reimage" && !written.has(run.reimage))
        refused.set(run.reimage, entry.hook);
      const occasion = occasions.get(`${entry.id} ${run.told}`);
      if (occasion !== undefined && entry.is !== "ended") occasion.isTold = true;
    }
  }
  for (const { text, told, at, isTold } of occasions.values())
    if (!isTold) found("every-end-is-told", at, `the ${text} was never told "${told}"`);
  return findings;
}
