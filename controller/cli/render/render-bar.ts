import type { Look } from "./style.ts";

const eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"] as const;

/**
 * A progress bar of exactly the given width, drawn in eighths of a column if the terminal can show them. It is full
 * only at 100 percent, and never longer.
 */
export function renderBar(
  percent: number,
  columns: number,
  look: Pick<Look, "unicode">,
): { done: string; left: string } {
  const share = Math.min(1, Math.max(0, Number.isFinite(percent) ? percent / 100 : 0));
  const steps = look.unicode ? 8 : 1;
  const filled = share >= 1 ? columns * steps : Math.min(columns * steps - 1, Math.round(share * columns * steps));
  const whole = Math.floor(filled / steps);
  const partial = look.unicode ? (eighths[filled % steps] ?? "") : "";
  const done = (look.unicode ? "█" : "#").repeat(whole) + partial;
  return { done, left: (look.unicode ? "░" : ".").repeat(columns - whole - partial.length) };
}

/** Percent for a person: never above 100, and 100 only when everything is done. */
export function formatPercent(percent: number): string {
  const bounded = Math.min(100, Math.max(0, Number.isFinite(percent) ? percent : 0));
  return `${Math.floor(bounded)}%`;
}
