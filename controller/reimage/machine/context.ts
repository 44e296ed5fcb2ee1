import type { ReimageState } from "./reimage-state.ts";
import type { ReimageSettings } from "./settings.ts";

/** What every transition can see. */
export interface Context {
  readonly state: ReimageState;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly settings: ReimageSettings;
}
