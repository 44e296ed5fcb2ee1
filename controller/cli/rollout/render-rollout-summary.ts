import { verdictWords } from "../../../proto/words/reimage-verdict.ts";
import { printable } from "../render/printable.ts";
import { remedyFor } from "../render/remedy.ts";
import { renderFailure } from "../render/render-failure.ts";
import { createPaint, type Look, type Style } from "../render/style.ts";
import { type Cell, type Column, renderTable } from "../render/table.ts";
import { formatCount } from "../render/units.ts";
import type { ReimageView, RolloutView } from "../view/rollout-view.ts";
import { configurationWords, hasFailed, totalRollout } from "./rollout-progress.ts";
import { formatTook, tookMs } from "./took.ts";

/** `withCard`: also what became of the cards of nodes that did not prove the image in time. */
function columns(withCard: boolean): readonly Column[] {
  return [
    { title: "NODE" },
    { title: "RESULT" },
    { title: "TOOK", align: "right" },
    { title: "DISK" },
    ...(withCard ? [{ title: "CARD" }] : []),
    { title: "RUNS FROM" },
  ];
}

const styles: Readonly<Partial<Record<ReimageView["phase"], Style>>> = {
  proved: "green",
  failed: "red",
  cancelled: "yellow",
};

function took(reimage: ReimageView): string {
  return reimage.endedAt === null ? "" : formatTook(tookMs(reimage, 0));
}

function describeCard({ verdict }: ReimageView): string {
  return verdict === null ? "" : verdictWords[verdict];
}

function isWeak({ proof }: ReimageView): boolean {
  return proof?.kind === "weak";
}

function result({ phase, configuration }: ReimageView): string {
  return configuration === null ? phase : configurationWords[configuration.state];
}

function row(reimage: ReimageView, withCard: boolean): (Cell | string)[] {
  const { proof } = reimage;
  return [
    reimage.nodeName,
    isWeak(reimage)
      ? { text: "proved (weak)", style: "yellow" }
      : { text: result(reimage), style: hasFailed(reimage) ? "red" : styles[reimage.phase] },
    took(reimage),
    reimage.disk ?? "",
    ...(withCard ? [describeCard(reimage)] : []),
    proof === null ? "" : (proof.rootDevice ?? "unknown"),
  ];
}

/** The end of a rollout: each node's result, the reason for each failure, and one line about the whole. */
export function renderRolloutSummary(rollout: RolloutView, look: Look, now: number): string[] {
  const paint = createPaint(look.color);
  const totals = totalRollout(rollout);
  const withCard = rollout.reimages.some(({ verdict }) => verdict !== null);
  const failures = rollout.reimages.flatMap((reimage) => {
    const failure = reimage.failure ?? reimage.configuration?.failure ?? null;
    if (failure === null) return [];
    // That of a failed task is in its message.
    const remedy = reimage.failure === null ? undefined : remedyFor(failure.reason, reimage.nodeName, reimage.disk);
    const [first = "", ...rest] = renderFailure(failure, remedy);
    return [
      "",
      `${paint(styles[reimage.phase] ?? "red", printable(reimage.nodeName))}: ${first}`,
      ...rest.map((line) => `  ${line}`),
    ];
  });
  const isDone = rollout.state === "succeeded";
  const proved = rollout.reimages.filter(({ phase }) => phase === "proved").length;
  const unconfigured =
    rollout.reimages.filter(hasFailed).length - rollout.reimages.filter(({ phase }) => phase === "failed").length;
  const tasks = unconfigured === 0 ? "" : `; the tasks of ${formatCount(unconfigured, "node")} failed`;
  const verdict = `${proved} of ${formatCount(totals.nodes, "node")} proved to run ${printable(rollout.imageName)}${tasks}`;
  const weak = rollout.reimages.filter(isWeak).map(({ nodeName }) => printable(nodeName));
  const caveat =
    weak.length === 0
      ? []
      : [
          "",
          `Only weakly proved, because of --no-resident: ${weak.join(", ")}`,
          "  (after the reboot the node fetched the image's kernel and answered; which disk it runs from is unknown)",
        ];
  const word = isDone ? "" : ` (${rollout.state})`;
  return [
    ...renderTable(
      columns(withCard),
      rollout.reimages.map((reimage) => row(reimage, withCard)),
      look,
    ),
    ...failures,
    ...caveat,
    "",
    paint(isDone ? "green" : "red", `${verdict}${word} in ${formatTook(tookMs(rollout, now))}.`),
  ];
}
