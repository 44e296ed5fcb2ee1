import type { Figures } from "../measure/figures.ts";
import type { BenchStage } from "../stage/bench-stage.ts";

/** What a card holds before a run. */
export type CardContent =
  /** Another system that fills it: nothing is where the image has it. */
  | "another system"
  /** The image. */
  | "the image"
  /** The image with packages upgraded. */
  | "the upgraded image"
  /** The image, in whose root filesystem something was placed. */
  | "the image, customised";

/** What the id of a row ends in that has only the time in which something is placed into the new system. */
export const placingPart = "placing";

/** A way to get the image onto a card. */
export interface Contender {
  /** Short name for `--only` and the JSON file. */
  readonly id: string;
  /** Its title in the table. */
  readonly title: string;
  /** Whether it reads the card back. */
  readonly verifies: boolean;
  readonly before: CardContent;
  readonly after: CardContent;
  /** Why it cannot run on this machine; undefined if it can. */
  absence(stage: BenchStage): Promise<string | undefined>;
  /** One measured run; further rows that the same run has filled are under their own ids. */
  run(
    stage: BenchStage,
  ): Promise<{ readonly figures: Partial<Figures>; readonly parts?: Readonly<Record<string, Partial<Figures>>> }>;
}
