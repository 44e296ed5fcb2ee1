import { type HookMoment, hookMoments } from "../../controller/hooks/hook.ts";
import type { WriteFault } from "./agent-run.ts";
import type { HookFault } from "./hook-runs.ts";
import type { SaveKind } from "./observe-store.ts";
import { type ProfileEdition, profileEditions } from "./profiles.ts";
import type { Random } from "./random.ts";
import type { TaskFault } from "./task-run.ts";

/** What happens to a world. Boards by their place; times in milliseconds. */
export type Accident =
  | { readonly kind: "power-off"; readonly board: number; readonly forMs: number }
  | { readonly kind: "restart-agent"; readonly board: number }
  | { readonly kind: "cut"; readonly board: number; readonly forMs: number }
  | { readonly kind: "write-fault"; readonly board: number; readonly fault: WriteFault }
  | { readonly kind: "kill"; readonly downMs: number }
  | { readonly kind: "stop"; readonly downMs: number }
  /** The controller dies at its n-th save of that kind from now, just before or just after it. */
  | {
      readonly kind: "kill-at-save";
      readonly saves: number;
      readonly of: SaveKind | "any";
      readonly after: boolean;
      readonly downMs: number;
    }
  | { readonly kind: "fail-saves"; readonly count: number }
  | {
      readonly kind: "weather";
      readonly loss: number;
      readonly late: number;
      readonly doubled: number;
      readonly forMs: number;
    }
  | { readonly kind: "forget-leases" }
  /** Another board takes the address of this one, which is off for a while. */
  | { readonly kind: "stranger"; readonly board: number; readonly forMs: number }
  /** A boot file of this board is asked for from another address. */
  | { readonly kind: "fetch-elsewhere"; readonly board: number; readonly from: number }
  /** A second board with this one's MAC address is on the network for a while. */
  | { readonly kind: "doubled-mac"; readonly board: number; readonly forMs: number }
  /** The cards of two boards are exchanged, with the power off. */
  | { readonly kind: "swap-cards"; readonly board: number; readonly other: number }
  | { readonly kind: "new-card"; readonly board: number }
  /** Another board with this one's MAC address takes its place for a while. */
  | { readonly kind: "replace-board"; readonly board: number; readonly forMs: number }
  /** The controller dies, and comes back without its database. */
  | { readonly kind: "lose-database"; readonly downMs: number }
  /** The clock of the controller's machine is set. */
  | { readonly kind: "set-clock"; readonly byMs: number }
  | { readonly kind: "reimage-all"; readonly image: string }
  | { readonly kind: "reimage"; readonly boards: readonly number[]; readonly image: string }
  | { readonly kind: "cancel" }
  /** Everything whose last reimage failed, once more. */
  | { readonly kind: "retry" }
  | { readonly kind: "boot"; readonly board: number; readonly target: "agent" | "local"; readonly image?: string }
  | { readonly kind: "reboot"; readonly board: number }
  | { readonly kind: "forget"; readonly board: number }
  /** What becomes of the next hook of that moment. */
  | { readonly kind: "hook-fault"; readonly when: HookMoment; readonly fault: HookFault }
  /** What becomes of the next tasks of this board's system. */
  | { readonly kind: "task-fault"; readonly board: number; readonly faults: readonly TaskFault[] }
  /** The operator's profiles say something else. */
  | { readonly kind: "edit-profiles"; readonly edition: ProfileEdition }
  /** The failed tasks of every node, once more. */
  | { readonly kind: "retry-tasks" }
  /** What has failed of the last rollout, once more. */
  | { readonly kind: "retry-rollout" };

export type AccidentKind = Accident["kind"];

/** When: at a time, or so long after a reimage first enters a phase from then on. */
export type Moment =
  | { readonly atMs: number }
  | { readonly afterMs: number; readonly phase: string; readonly delayMs: number };

export type Planned = Moment & { readonly accident: Accident };

/** What a seed means: a rack, and what happens to it. */
export interface Plan {
  readonly seed: number;
  readonly boards: number;
  /** Which of them have an image from the start, proved. */
  readonly installed: readonly number[];
  /** Which of them have a USB disk too. */
  readonly disks: readonly number[];
  /** Which of them run agents of before they told what they can, and what a write left. */
  readonly old: readonly number[];
  /** How many may write at once, by the operator's settings. */
  readonly writers?: number;
  /** Whether the operator has hooks. */
  readonly hooked: boolean;
  /** Whether what hooks give is another thing each time that they run. */
  readonly fickle: boolean;
  /** What the operator's profiles say from the start. */
  readonly profiles: ProfileEdition;
  readonly happens: readonly Planned[];
}

const minute = 60_000;
/** The first rollout is over by then. */
export const troubleFromMs = 8 * minute;
/** From then on nothing goes wrong any more. */
export const quietFromMs = 50 * minute;

const phases = ["preparing", "netbooting", "checking", "writing", "rebooting", "proving", "tasks running"];
const ends = ["proved", "failed", "cancelled", "tasks configured", "tasks failed", "tasks cancelled"];
const anyPhase = [...phases, ...phases, ...phases, "queued", "waiting", "cancelling", ...ends];
/** After what some kinds happen, because they would mean nothing after most else. */
const usualPhases: Partial<Record<AccidentKind, readonly string[]>> = {
  "retry-tasks": ["tasks failed", "tasks failed", "tasks cancelled", "tasks running"],
  "retry-rollout": ["failed", "cancelled", "tasks failed"],
};

/** How often each kind is chosen, against the others. */
const weights: Readonly<Record<AccidentKind, number>> = {
  "power-off": 8,
  "restart-agent": 4,
  cut: 4,
  "write-fault": 4,
  kill: 5,
  stop: 2,
  "kill-at-save": 5,
  "fail-saves": 3,
  weather: 4,
  "forget-leases": 2,
  stranger: 4,
  "fetch-elsewhere": 3,
  "doubled-mac": 3,
  "swap-cards": 2,
  "new-card": 2,
  "replace-board": 2,
  "lose-database": 1,
  "set-clock": 3,
  "reimage-all": 2,
  reimage: 3,
  cancel: 7,
  retry: 3,
  boot: 3,
  reboot: 2,
  forget: 2,
  "hook-fault": 9,
  "task-fault": 9,
  "edit-profiles": 5,
  "retry-tasks": 6,
  "retry-rollout": 3,
};

/** @param without kinds that do not happen */
export function planWorld(seed: number, random: Random, without: readonly AccidentKind[] = []): Plan {
  const boards = random.between(2, 4);
  const all = Array.from({ length: boards }, (_, index) => index);
  const some = (least: number): number[] => random.shuffle(all).slice(0, random.between(least, boards)).sort();
  const installed = some(1);
  const disks = all.filter(() => random.chance(0.25));
  const lot = (Object.keys(weights) as AccidentKind[])
    .filter((kind) => !without.includes(kind))
    .flatMap((kind) => Array.from({ length: weights[kind] }, () => kind));
  const rollouts = Array.from({ length: random.between(2, 5) }, (_, index) => ({
    atMs: troubleFromMs + 1_000 + index * random.between(3, 9) * minute,
    accident: { kind: "reimage", boards: some(1), image: random.pick(["old", "new", "rebooting"]) } as const,
  }));
  const others = Array.from({ length: random.between(2, 16) }, () => {
    const kind = random.pick(lot);
    return { ...momentOf(random, usualPhases[kind] ?? anyPhase), accident: accidentOf(random, kind, all) };
  });
  const writers = random.chance(0.3) ? { writers: 1 } : {};
  const old = random.chance(0.2) ? some(1) : [];
  const hooked = random.chance(0.6);
  // Agents of before profiles refuse what they say: with both from the start, nothing would ever be proved.
  const fickle = random.chance(0.4);
  const editions = ["none", "plain 1", "tasks 1", hooked ? "gifts" : "tasks 1"] as const;
  const profiles = old.length > 0 ? "none" : random.pick(editions);
  const happens = [...rollouts, ...others];
  return { seed, boards, installed, disks, old, ...writers, hooked, fickle, profiles, happens };
}

function momentOf(random: Random, after: readonly string[]): Moment {
  if (random.chance(0.25)) return { atMs: random.between(troubleFromMs, quietFromMs - 8 * minute) };
  const afterMs = troubleFromMs + random.pick([0, 0, random.between(0, 25) * minute]);
  return { afterMs, phase: random.pick(after), delayMs: random.pick([0, 5, 50, 500, 3_000, 8_000, 20_000, 40_000]) };
}

function accidentOf(random: Random, kind: AccidentKind, all: readonly number[]): Accident {
  const board = random.pick(all);
  const other = random.pick(all.filter((each) => each !== board));
  const aWhile = (): number => random.pick([2_000, 10_000, 45_000, 4 * minute, 11 * minute, 25 * minute]);
  switch (kind) {
    case "power-off":
    case "cut":
    case "stranger":
    case "doubled-mac":
    case "replace-board":
      return { kind, board, forMs: aWhile() };
    case "restart-agent":
    case "new-card":
    case "reboot":
    case "forget":
      return { kind, board };
    case "write-fault":
      return { kind, board, fault: random.pick(["fetch-failed", "device-error", "stalls", "not-customised"]) };
    case "kill":
    case "stop":
    case "lose-database":
      return { kind, downMs: aWhile() };
    case "set-clock":
      return {
        kind,
        byMs: random.pick([1, -1]) * random.pick([minute, 45 * minute, 30 * 60 * minute, 500_000 * minute]),
      };
    case "kill-at-save": {
      const of = random.pick(["any", "any", "end", "hooks"] as const);
      return { kind, of, saves: random.between(1, of === "any" ? 12 : 3), after: random.chance(0.5), downMs: aWhile() };
    }
    case "fail-saves":
      return { kind, count: random.between(1, 6) };
    case "weather": {
      const rate = (): number => random.pick([0, 0.02, 0.1, 0.3]);
      return { kind, loss: rate(), late: rate(), doubled: rate(), forMs: aWhile() };
    }
    case "forget-leases":
    case "cancel":
    case "retry":
    case "retry-rollout":
    case "retry-tasks":
      return { kind };
    case "hook-fault": {
      const when = random.pick(["before-reimage", "before-reimage", ...hookMoments] as const);
      return { kind, when, fault: random.pick(["fails", "fails", "hangs", "slow"]) };
    }
    case "task-fault": {
      const faults = random.pick([
        ["fails"],
        ["fails", "fails"],
        ["hangs"],
        ["slow"],
        ["slow", "slow", "slow"],
      ] as const);
      return { kind, board, faults };
    }
    case "edit-profiles":
      return { kind, edition: random.pick(profileEditions) };
    case "fetch-elsewhere":
      return { kind, board, from: other };
    case "swap-cards":
      return { kind, board, other };
    case "reimage": {
      const boards = random.shuffle(all).slice(0, random.between(1, all.length)).sort();
      return { kind, boards, image: random.pick(["old", "new", "rebooting"]) };
    }
    case "reimage-all":
      return { kind, image: random.pick(["old", "new", "rebooting"]) };
    case "boot": {
      const target = random.pick(["agent", "local"] as const);
      return {
        kind,
        board,
        target,
        ...(target === "local" && random.chance(0.3) && { image: random.pick(["old", "new"]) }),
      };
    }
  }
}
