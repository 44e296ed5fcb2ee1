import type { Output } from "../connection/effects.ts";
import { renderRedraw } from "../render/render-redraw.ts";

/** Lines at the bottom of a terminal that are redrawn in place. */
export interface LiveArea {
  /** Replaces the previous lines. */
  draw(lines: readonly string[]): void;
  /** Removes the lines; later output takes their place. */
  clear(): void;
}

/** The live area of an output that is a terminal. */
export function createLiveArea(output: Output): LiveArea {
  let drawn: readonly string[] = [];
  const draw = (lines: readonly string[]) => {
    if (drawn.length === 0 && lines.length === 0) return;
    output.write(renderRedraw(drawn, lines, output.size().columns));
    drawn = lines;
  };
  return { draw, clear: () => draw([]) };
}
