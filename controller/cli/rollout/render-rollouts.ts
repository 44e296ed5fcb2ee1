import { type ReimageVerdict, verdictWords } from "../../../proto/words/reimage-verdict.ts";
import type { Look, Style } from "../render/style.ts";
import { renderTable } from "../render/table.ts";
import { formatAge } from "../render/units.ts";
import type { RolloutStateWord, RolloutView } from "../view/rollout-view.ts";
import { describeCounts } from "./render-rollout-table.ts";
import { totalRollout } from "./rollout-progress.ts";
import { formatTook, tookMs } from "./took.ts";

/** Shown if there has never been a rollout. */
export const noRollouts = "no rollouts yet; to see what one would do: controller reimage --all --dry-run";

/** The style of each rollout state. */
export const rolloutStyles: Readonly<Partial<Record<RolloutStateWord, Style>>> = {
  running: "cyan",
  succeeded: "green",
  failed: "red",
  cancelled: "yellow",
};

/** What became of the cards of nodes that did not prove the image in time, counted: "2 untouched". */
function describeVerdicts({ reimages }: RolloutView): string[] {
  return (Object.keys(verdictWords) as ReimageVerdict[]).flatMap((verdict) => {
    const count = reimages.filter((reimage) => reimage.verdict === verdict).length;
    return count === 0 ? [] : [`${count} ${verdictWords[verdict]}`];
  });
}

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
      [describeCounts({ ...totalRollout(rollout) }), ...describeVerdicts(rollout)].join("; "),
      formatAge(rollout.startedAt, now),
      formatTook(tookMs(rollout, now)),
    ]),
    look,
  );
}
