import type { HookMoment } from "../../hooks/hook.ts";
import type { HookOccasion } from "../../hooks/render-hook-call.ts";
import type { EndKind, ReimageState } from "../machine/reimage-state.ts";

/** What hooks are told of an end. */
export type HookedEnd = Pick<HookOccasion["reimage"], "phase" | "verdict" | "failure">;

/** A moment that has come. */
export interface ChosenMoment {
  readonly when: HookMoment;
  /** In milliseconds since the epoch. */
  readonly at: number;
  readonly end: HookedEnd;
}

/**
 * The moments that follow on an end. A node without tasks is configured as soon as it is proved. Who was drained has to be
 * taken back, whichever way its reimage ended without a proof.
 */
export function chooseHookMoments(of: EndKind, phase: ReimageState["phase"]): readonly ChosenMoment[] {
  if (phase.name === "failed" || phase.name === "cancelled") {
    const { reason, message } = phase.failure;
    const end = { phase: phase.name, failure: { reason, message }, ...(phase.verdict && { verdict: phase.verdict }) };
    return of === "end" ? [{ when: "after-failed", at: phase.endedAt, end }] : [];
  }
  if (phase.name !== "proved") return [];
  const { configuration, endedAt } = phase;
  const end: HookedEnd = { phase: "proved", ...(phase.late && { verdict: "proved-late" }) };
  const proved = { when: "after-proved", at: endedAt, end } as const;
  if (of === "end")
    return configuration === undefined ? [proved, { when: "after-configured", at: endedAt, end }] : [proved];
  if (configuration?.endedAt === undefined) return [];
  const at = configuration.endedAt;
  if (configuration.failure === undefined) return [{ when: "after-configured", at, end }];
  const { reason, message } = configuration.failure;
  return [{ when: "after-failed", at, end: { ...end, failure: { reason, message } } }];
}
