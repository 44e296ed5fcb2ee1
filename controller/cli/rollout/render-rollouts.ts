import type { Look, Style } from "../render/style.ts";
import { renderTable } from "../render/table.ts";
import { formatAge, formatDuration } from "../render/units.ts";
import type { RolloutStateWord, RolloutView } from "../view/rollout-view.ts";
import { describeCounts, rolloutDurationMs } from "./render-rollout-table.ts";
import { totalRollout } from "./rollout-progress.ts";

/** What to tell an operator who asks for rollouts before there was one. */
export const noRollouts = "no rollouts yet: see what one would do with: controller reimage --all --dry-run";

/** How the states of a rollout look. */
export const rolloutStyles: Readonly<Partial<Record<RolloutStateWord, Style>>> = {
  running: "cyan",
  succeeded: "green",
  failed: "red",
  cancelled: "yellow",
};

/** The rollouts as a table. */
export function renderRollouts(rollouts: readonly RolloutView[], look: Look, now: number): string[] {
  return renderTable(
    [
      { title: "ROLLOUT" },
      { title: "STATE" },
      { title: "IMAGE" },
      { title: "NODES", align: "right" },
      { title: "RESULT", shrinkTo: 20 },
      { title: "STARTED", isOptional: true },
      { title: "TOOK", align: "right", isOptional: true },
    ],
    rollouts.map((rollout) => [
      rollout.rolloutId,
      { text: rollout.state, style: rolloutStyles[rollout.state] },
      rollout.imageName,
      String(rollout.reimages.length),
      describeCounts({ ...totalRollout(rollout) }),
      formatAge(rollout.startedAt, now),
      formatDuration(rolloutDurationMs(rollout, now)),
    ]),
    look,
  );
}
