import type { Config } from "../config/config.ts";
import type { Endpoints } from "./endpoints.ts";
import type { Patience } from "./patience.ts";
import type { ServeAdapters } from "./serve-adapters.ts";

/** What every stage of the start is given; what it opens itself it returns to the next ones. */
export interface Stage {
  readonly config: Config;
  readonly adapters: ServeAdapters;
  readonly endpoints: Endpoints;
  /** Opens what is unavailable yet as soon as it can be had. */
  readonly patience: Patience;
  /** Closes what the stages open, the last one first. */
  readonly running: AsyncDisposableStack;
}
