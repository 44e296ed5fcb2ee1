import type { BootRun } from "./judge-boots.ts";
import type { NodeTrouble } from "./node-trouble.ts";

const reached = { config: "its boot config", kernel: "its kernel" } as const;

/** The trouble of a run of boots, for a person; undefined when there is none, or none yet. */
export function describeBoots(run: BootRun | undefined, at: number): NodeTrouble | undefined {
  if (run?.trouble === undefined) return undefined;
  const { boots, firstAt, lastAt, broken } = run;
  const now = run.heard === true ? "the agent, which looked at its card" : reached[run.reached];
  // A boot that has only just begun says less of a loop than the one before it.
  const last = run.heard !== true && run.reachedBefore === "kernel" ? reached.kernel : now;
  const common = { kind: run.trouble, since: firstAt, lastAt } as const;
  switch (run.trouble) {
    case "boot-loop":
      return {
        ...common,
        count: boots,
        message: `boot loop: ${boots} boots in ${span(lastAt - firstAt)}, last got to ${last}`,
      };
    case "transfers-die": {
      const count = broken?.count ?? 0;
      const told = `${count} broke off in ${span(at - (broken?.firstAt ?? at))}`;
      return {
        ...common,
        count,
        message: `transfers die: ${told}, ${boots === 1 ? "" : `in ${boots} boots, `}last got to ${last}`,
      };
    }
    case "not-up": {
      const several = boots === 1 ? "" : `${boots} boots in ${span(lastAt - firstAt)}, `;
      return {
        ...common,
        count: boots,
        message: `not up: ${several}last got to ${now} ${span(at - lastAt)} ago, not heard since`,
      };
    }
  }
}

/** What to do about it, as a sentence after the trouble. */
export function remedyOfBoots({ trouble, label }: BootRun, name: string): string {
  if (trouble === "transfers-die") return "look at its cable, its switch and the network's MTU (tftp.maxBlockBytes)";
  const look = "look at its console for what the kernel says last, and at its power supply";
  return label === "agent" ? look : `${look}; "controller boot ${name} agent" sends its next boot into the agent`;
}

/** That it is over, for a person. */
export function describeRecovery(name: string, { boots, firstAt, expected }: BootRun, at: number): string {
  const after = `after ${boots === 1 ? "one boot" : `${boots} boots`} in ${span(at - firstAt)}`;
  return expected ? `${name} is up, ${after}` : `${name} seems to be up, ${after}: it has not booted again since`;
}

function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}
