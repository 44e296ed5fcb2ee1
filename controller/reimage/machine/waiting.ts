import type { Context } from "./context.ts";
import { deadline } from "./effects-on-entry.ts";
import type { PhaseOf, ReimageState } from "./reimage-state.ts";
import type { ReimageSettings } from "./settings.ts";
import { amend, type Step } from "./step.ts";

/* How long a booting node is waited for: each sign of life gives it the time of a boot again, up to a bound. */

/** The phases in which a node boots. */
type Booting = PhaseOf<"netbooting" | "rebooting" | "proving">;

/** The same phase after a sign of life. Never earlier than the deadline was. */
export function aliveIn(context: Context, phase: Booting): Step {
  const { now, settings } = context;
  const deadlineAt = Math.max(
    phase.deadlineAt,
    Math.min(now + timeoutOf(phase, settings), phase.since + settings.longestBootMs),
  );
  if (deadlineAt === phase.deadlineAt) return amend(context, phase, {});
  return amend(context, phase, { deadlineAt }, [deadline({ deadlineAt }, now)]);
}

function timeoutOf({ name }: Booting, { bootTimeoutMs, proveTimeoutMs }: ReimageSettings): number {
  return name === "netbooting" ? bootTimeoutMs : proveTimeoutMs;
}

/**
 * What is waited for, what was last seen, and until when, as a sentence; undefined where neither hooks run nor the node
 * boots.
 */
export function describeWaiting(state: ReimageState): string | undefined {
  const { phase, nodeName } = state;
  if (phase.name === "preparing")
    return `the before-reimage hooks of ${nodeName} have run since ${timeOf(phase.since)}; nothing was done to it yet`;
  if (phase.name !== "netbooting" && phase.name !== "rebooting" && phase.name !== "proving") return undefined;
  const until = `waiting until ${timeOf(phase.deadlineAt)}`;
  const { bootStage } = state;
  if (bootStage !== undefined && bootStage.at >= phase.since) {
    const own = bootStage.firstBoot === undefined ? "" : `, and ${firstBootWords[bootStage.firstBoot]}`;
    return `${nodeName} is booting: it fetched "${bootStage.path}" at ${timeOf(bootStage.at)}${phase.name === "proving" ? own : ""}; ${until}`;
  }
  if (state.leasedAt !== undefined && state.leasedAt >= phase.since)
    return `${nodeName} is booting: it got an address at ${timeOf(state.leasedAt)}; ${until}`;
  return `nothing was heard of ${nodeName} since ${timeOf(phase.since)}; ${until}`;
}

const firstBootWords: Readonly<Record<NonNullable<NonNullable<ReimageState["bootStage"]>["firstBoot"]>, string>> = {
  "half-done": "the image's own first boot is at work, which reboots by itself",
  done: "the image's own first boot is at work, or over",
};

/** In UTC, to the second. */
function timeOf(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, "Z");
}
