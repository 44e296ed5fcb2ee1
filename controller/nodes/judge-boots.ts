import type { AgentRole } from "../../proto/system/agent-program.ts";
import type { BootTargetKind } from "../../proto/words/boot-target.ts";
import type { NodeTroubleKind } from "../../proto/words/node-trouble-kind.ts";

/** The boots of a node since it was last heard as what it should be. Times are milliseconds since the epoch. */
export interface BootRun {
  readonly boots: number;
  readonly firstAt: number;
  /** When the last boot began. */
  readonly lastAt: number;
  /** When the newest of them began, at most as many as are needed to call it a loop. */
  readonly recent: readonly number[];
  /** What the last boot loads. */
  readonly label: "agent" | "local";
  /** Whether an agent of the last boot will be heard, if all goes well. */
  readonly expected: boolean;
  /** What the last boot has got. */
  readonly reached: "config" | "kernel";
  /** What the boot before it had got. */
  readonly reachedBefore?: "config" | "kernel";
  /** Set when the last boot went to the agent by way of a detour, and got there. */
  readonly heard?: boolean;
  /** Transfers of its kernel or initrd that broke off since one was complete; absent is none. */
  readonly broken?: { readonly count: number; readonly firstAt: number };
  /** Set once it was told of. */
  readonly trouble?: Exclude<NodeTroubleKind, "registration-refused">;
}

/** What happened to a node that may be booting. */
export type BootNews =
  /** It got its config. `expected`: whether an agent of this boot will be heard. */
  | { readonly kind: "begun"; readonly label: "agent" | "local"; readonly expected: boolean }
  /** It has all that it needs to start its kernel. */
  | { readonly kind: "loaded" }
  /** The transfer of its kernel or initrd broke off. */
  | { readonly kind: "broken" }
  /** Its agent was heard. */
  | { readonly kind: "heard"; readonly role: AgentRole; readonly target: BootTargetKind }
  /** Nothing, for a while. */
  | { readonly kind: "waited" };

/** What is known after the news: no run when the node is well. */
export interface JudgedBoot {
  readonly run?: BootRun;
  /** Set when a trouble began, or ended, by this. Of one node they alternate. */
  readonly told?: "began" | "ended";
}

/** U-Boot asks for its config again every two or three seconds when it cannot load what that says. */
const sameBootMs = 5_000;
/**
 * So many boots within that time, none of which was heard, are a loop. A first boot reboots once or twice before its
 * services run. Of a system without a resident agent nothing is ever heard, and its owner may try things out.
 */
const loop = {
  expected: { boots: 4, withinMs: 30 * 60_000 },
  unexpected: { boots: 5, withinMs: 15 * 60_000 },
} as const;
/** So many transfers in a row break off on no sound network. */
const mostBroken = 3;
/** A kernel over a slow line, a first boot that makes keys and grows its root: longer than that takes none. */
export const mostPatienceMs = 10 * 60_000;
/** After that, a system of which nothing is ever heard is taken to run. */
const quietMs = 15 * 60_000;

/** Whether another boot that begins now gives up the last one before its kernel was there. */
export function gaveUp(run: BootRun | undefined, at: number): boolean {
  return run !== undefined && run.label === "local" && run.reached === "config" && at - run.lastAt >= sameBootMs;
}

const severity = { "not-up": 1, "transfers-die": 2, "boot-loop": 3 } as const;

/** What becomes of a run of boots by the news. Pure and total; a clock that is set back ends no trouble and makes none. */
export function judgeBoot(run: BootRun | undefined, news: BootNews, at: number): JudgedBoot {
  const next = after(run, news, at);
  if (next === undefined) return run?.trouble === undefined ? {} : { told: "ended" };
  const found = troubleOf(next, at);
  const known = next.trouble;
  // Another run, because the one before was over already.
  if (known === undefined && run?.trouble !== undefined) return { run: next, told: "ended" };
  if (found === undefined || (known !== undefined && severity[known] >= severity[found])) return { run: next };
  return { run: { ...next, trouble: found }, ...(known === undefined && { told: "began" }) };
}

function after(run: BootRun | undefined, news: BootNews, at: number): BootRun | undefined {
  if (news.kind === "begun") return begun(isOver(run, at) ? undefined : run, news, at);
  if (run === undefined) return undefined;
  switch (news.kind) {
    case "loaded": {
      const { broken: _, ...loaded } = run;
      return { ...loaded, reached: "kernel" };
    }
    case "broken":
      return { ...run, broken: { count: (run.broken?.count ?? 0) + 1, firstAt: run.broken?.firstAt ?? at } };
    case "heard":
      return news.role === "netboot" && news.target === "local" ? onDetour(run) : undefined;
    case "waited":
      return isOver(run, at) ? undefined : run;
  }
}

function begun(
  run: BootRun | undefined,
  { label, expected }: Extract<BootNews, { kind: "begun" }>,
  at: number,
): BootRun {
  if (run === undefined) return { boots: 1, firstAt: at, lastAt: at, recent: [at], label, expected, reached: "config" };
  if (at >= run.lastAt && at - run.lastAt < sameBootMs) return { ...run, label, expected };
  const { heard: _, ...rest } = run;
  const recent = [...run.recent.filter((each) => each <= at), at].slice(-loop.unexpected.boots);
  const reachedBefore = run.reached;
  return { ...rest, boots: run.boots + 1, lastAt: at, recent, label, expected, reached: "config", reachedBefore };
}

/** The agent that looks at the card is no boot of the system, and no end of its trouble. */
function onDetour(run: BootRun): BootRun | undefined {
  if (run.heard === true) return run;
  const boots = run.boots - 1;
  if (boots === 0 && run.trouble === undefined) return undefined;
  return { ...run, boots, recent: run.recent.slice(0, -1), heard: true };
}

/** Whether a system of which nothing is ever heard has been left alone with its kernel for long enough. */
function isOver(run: BootRun | undefined, at: number): boolean {
  return run !== undefined && !run.expected && run.reached === "kernel" && at - run.lastAt >= quietMs;
}

function troubleOf(run: BootRun, at: number): BootRun["trouble"] {
  const { boots, withinMs } = run.expected ? loop.expected : loop.unexpected;
  const first = run.recent.at(-boots);
  if (first !== undefined && run.lastAt - first <= withinMs) return "boot-loop";
  if ((run.broken?.count ?? 0) >= mostBroken) return "transfers-die";
  const isDue = run.heard !== true && (run.expected || run.reached === "config");
  return isDue && at - run.lastAt >= mostPatienceMs ? "not-up" : undefined;
}
