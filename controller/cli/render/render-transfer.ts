import { printable } from "./printable.ts";
import { formatPercent, renderBar } from "./render-bar.ts";
import { createPaint, type Look } from "./style.ts";
import { clipText } from "./text-width.ts";
import { formatBytes, formatRate, formatTimeLeft } from "./units.ts";

/** The progress of work that moves bytes, or merely takes time. */
export interface Transfer {
  /** What is being done, for example "decompressing". */
  readonly activity: string;
  readonly doneBytes: number;
  /** 0 if unknown, or if no bytes are counted. */
  readonly totalBytes: number;
  readonly bytesPerSecond?: number;
  /** Milliseconds until it ends. */
  readonly etaMs?: number | null;
}

/** The progress of one transfer as one line with a bar, no wider than the terminal. */
export function renderTransfer(transfer: Transfer, options: Look & { readonly width: number }): string {
  const { doneBytes, totalBytes, bytesPerSecond = 0, etaMs } = transfer;
  const paint = createPaint(options.color);
  const activity = printable(transfer.activity);
  const rate = bytesPerSecond > 0 ? `  ${formatRate(bytesPerSecond)}` : "";
  const ellipsis = options.unicode ? "…" : ".";
  if (totalBytes <= 0) {
    const counted = doneBytes > 0 ? `  ${formatBytes(doneBytes)}${rate}` : "";
    return clipText(`${activity}${counted}`, options.width, ellipsis);
  }
  const percent = (doneBytes / totalBytes) * 100;
  const left = etaMs === null || etaMs === undefined ? "" : `  ${formatTimeLeft(etaMs)} left`;
  const size = `${formatBytes(Math.min(doneBytes, totalBytes))} of ${formatBytes(totalBytes)}`;
  const tail = `  ${formatPercent(percent).padStart(4)}  ${size}${rate}${left}`;
  const room = options.width - activity.length - tail.length - 2;
  if (room < 6) return clipText(`${activity}${tail}`, options.width, ellipsis);
  const bar = renderBar(percent, Math.min(40, room), options);
  return `${activity}  ${paint("cyan", bar.done)}${paint("dim", bar.left)}${tail}`;
}
