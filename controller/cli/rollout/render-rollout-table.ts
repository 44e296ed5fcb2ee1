import { verdictWords } from "../../../proto/words/reimage-verdict.ts";
import { printable } from "../render/printable.ts";
import { formatPercent, renderBar } from "../render/render-bar.ts";
import { createPaint, type Look, type Style } from "../render/style.ts";
import { clipText, padText, textWidth } from "../render/text-width.ts";
import { formatRate, formatTimeLeft } from "../render/units.ts";
import type { ReimagePhaseWord, ReimageView, RolloutView } from "../view/rollout-view.ts";
import {
  currentRate,
  hasFailed,
  isConfiguring,
  isOver,
  isWaiting,
  reimageActivity,
  reimagePercent,
  totalRollout,
} from "./rollout-progress.ts";
import { formatTook, tookMs } from "./took.ts";

/** Options for drawing the live table. */
export interface RolloutTableOptions extends Look {
  /** Available columns and rows; nothing is drawn beyond them. */
  readonly width: number;
  readonly height: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** For how long what is shown has been known, in milliseconds. */
  readonly knownForMs?: number;
  /** A line that replaces the hint at the bottom, for example if the controller is not answering. */
  readonly notice?: string;
}

const styles: Readonly<Record<ReimagePhaseWord, Style | undefined>> = {
  queued: "dim",
  preparing: "cyan",
  netbooting: "cyan",
  checking: "cyan",
  waiting: "dim",
  writing: "cyan",
  rebooting: "cyan",
  proving: "cyan",
  proved: "green",
  failed: "red",
  cancelled: "yellow",
  unknown: undefined,
};

/** Which rows are kept if not all fit: first what needs attention, then what is moving, last what waits or is done. */
const urgency: Readonly<Record<ReimagePhaseWord, number>> = {
  failed: 0,
  writing: 1,
  preparing: 1,
  netbooting: 1,
  checking: 1,
  waiting: 2,
  rebooting: 1,
  proving: 1,
  unknown: 1,
  cancelled: 2,
  queued: 3,
  proved: 4,
};

/** The column widths chosen for this terminal; a width of 0 omits the column. */
interface Layout {
  readonly name: number;
  readonly activity: number;
  readonly bar: number;
  readonly rate: number;
  readonly left: number;
  readonly disk: number;
}

const gap = 2;
const percentWidth = 4;
const smallestBar = 6;
const largestBar = 40;

function chooseLayout(reimages: readonly ReimageView[], width: number): Layout {
  const widest = (texts: readonly string[]) => Math.max(0, ...texts.map(textWidth));
  // Wide enough for every phase and the usual disk, so that columns do not jump as nodes progress.
  const disk = widest(["/dev/mmcblk0", ...reimages.map(({ disk }) => printable(disk ?? ""))]);
  const full = {
    name: widest(reimages.map(({ nodeName }) => printable(nodeName))),
    activity: 14,
    rate: 12,
    left: 7,
    disk,
  };
  const used = (layout: Omit<Layout, "bar">) =>
    Object.values(layout).reduce((sum, column) => sum + (column > 0 ? column + gap : 0), percentWidth);
  const attempts = [full, { ...full, disk: 0 }, { ...full, disk: 0, left: 0 }, { ...full, disk: 0, left: 0, rate: 0 }];
  for (const attempt of attempts) {
    const bar = width - used(attempt) - gap;
    if (bar >= smallestBar) return { ...attempt, bar: Math.min(largestBar, bar) };
  }
  const bare = { name: full.name, activity: full.activity, rate: 0, left: 0, disk: 0 };
  return { ...bare, name: Math.max(4, Math.min(full.name, width - used({ ...bare, name: 0 }) - gap)), bar: 0 };
}

function styleOf(reimage: ReimageView): Style | undefined {
  if (hasFailed(reimage)) return styles.failed;
  return isConfiguring(reimage) ? styles.proving : styles[reimage.phase];
}

function urgencyOf(reimage: ReimageView): number {
  if (hasFailed(reimage)) return urgency.failed;
  return isConfiguring(reimage) ? urgency.proving : urgency[reimage.phase];
}

function renderRow(reimage: ReimageView, layout: Layout, options: RolloutTableOptions): string {
  const paint = createPaint(options.color);
  const ellipsis = options.unicode ? "…" : ".";
  const space = " ".repeat(gap);
  const style = styleOf(reimage);
  const name = padText(clipText(printable(reimage.nodeName), layout.name, ellipsis), layout.name);
  const activity = reimageActivity(reimage);
  const start = name + space + paint(style, activity);
  const afterStart = " ".repeat(Math.max(0, layout.activity - textWidth(activity)));

  if (hasFailed(reimage) || reimage.phase === "cancelled" || reimage.phase === "waiting") {
    const rest = options.width - layout.name - gap - layout.activity - gap;
    const card = reimage.verdict === null ? "" : `${verdictWords[reimage.verdict]}: `;
    const message = printable(
      card +
        ((reimage.waitingFor ?? (reimage.failure ?? reimage.configuration?.failure)?.message ?? "").split("\n")[0] ??
          ""),
    );
    const shown = clipText(message, Math.max(0, rest), ellipsis);
    return shown === "" ? start : start + afterStart + space + paint(style, shown);
  }

  const percent = reimagePercent(reimage);
  const rate = currentRate(reimage);
  const eta = reimage.phase === "writing" ? (reimage.progress?.etaMs ?? null) : null;
  const columns = [start + afterStart];
  if (layout.bar > 0) {
    const { done, left } = renderBar(percent, layout.bar, options);
    columns.push(paint(style, done) + paint("dim", left));
  }
  columns.push(padText(formatPercent(percent), percentWidth, "right"));
  if (layout.rate > 0) columns.push(padText(rate > 0 ? formatRate(rate) : "", layout.rate, "right"));
  if (layout.left > 0) columns.push(padText(eta === null ? "" : formatTimeLeft(eta), layout.left, "right"));
  if (layout.disk > 0) columns.push(printable(reimage.disk ?? ""));
  return columns.join(space).trimEnd();
}

function renderTitles(layout: Layout): string {
  const columns = [padText("NODE", layout.name), padText("PHASE", layout.activity)];
  if (layout.bar > 0) columns.push(padText("PROGRESS", layout.bar));
  columns.push(" ".repeat(percentWidth));
  if (layout.rate > 0) columns.push(padText("SPEED", layout.rate, "right"));
  if (layout.left > 0) columns.push(padText("ETA", layout.left, "right"));
  if (layout.disk > 0) columns.push("DISK");
  return columns.join(" ".repeat(gap)).trimEnd();
}

/** "1 failed, 3 running, 2 proved": the count of each, in this order. */
export function describeCounts(counts: Readonly<Partial<Record<string, number>>>): string {
  return ["failed", "cancelled", "running", "waiting", "queued", "proved"]
    .filter((word) => (counts[word] ?? 0) > 0)
    .map((word) => `${counts[word]} ${word}`)
    .join(", ");
}

function describeHidden(hidden: readonly ReimageView[]): string {
  const counts: Record<string, number> = {};
  for (const reimage of hidden) {
    const ends = isOver(reimage) || isWaiting(reimage) ? reimage.phase : "running";
    const word = hasFailed(reimage) ? "failed" : ends;
    counts[word] = (counts[word] ?? 0) + 1;
  }
  return describeCounts(counts);
}

/**
 * The live table of a rollout: a heading, one row per node with its bar, speed and time left in its phase, a line of
 * totals and a hint. No line is wider than `width`, and there are at most `height`: columns are omitted from the right
 * as the terminal gets narrower, and if there are more nodes than rows, failed and active ones are shown and the rest
 * are summed up.
 */
export function renderRolloutTable(rollout: RolloutView, options: RolloutTableOptions): string[] {
  const { width, height, now, unicode } = options;
  const paint = createPaint(options.color);
  const ellipsis = unicode ? "…" : ".";
  const dot = unicode ? " · " : " - ";
  const fit = (text: string) => clipText(text, width, ellipsis);
  const totals = totalRollout(rollout);

  const heading = [
    `Rollout ${printable(rollout.rolloutId)}`,
    printable(rollout.imageName),
    `${totals.nodes} node${totals.nodes === 1 ? "" : "s"}`,
    formatTook(tookMs(rollout, now, options.knownForMs)),
  ].join(dot);
  const rate = totals.bytesPerSecond > 0 ? [formatRate(totals.bytesPerSecond)] : [];
  const sum = [formatPercent(totals.percent), describeCounts({ ...totals }), ...rate].join(dot);
  const hint = options.notice ?? "Ctrl-C stops watching; the rollout continues.";
  const bottom = ["", paint("bold", fit(sum)), paint(options.notice ? "yellow" : "dim", fit(printable(hint)))];
  const room = height - 2 - bottom.length;
  if (room < 2) return [paint("bold", fit(sum))];
  const all = rollout.reimages;
  const fits = all.length <= room;
  // Sorting is stable: nodes of equal urgency stay in the order of their names.
  const shown = fits ? all : all.toSorted((a, b) => urgencyOf(a) - urgencyOf(b)).slice(0, room - 1);
  const hidden = fits ? [] : all.filter((reimage) => !shown.includes(reimage));
  const layout = chooseLayout(shown, width);
  const more = hidden.length === 0 ? [] : [paint("dim", fit(`and ${hidden.length} more: ${describeHidden(hidden)}`))];
  const top = [paint("bold", fit(heading)), paint("dim", fit(renderTitles(layout)))];
  return [...top, ...shown.map((reimage) => renderRow(reimage, layout, options)), ...more, ...bottom];
}
