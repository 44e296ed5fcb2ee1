import type { Config } from "../config/config.ts";
import type { Endpoints } from "./endpoints.ts";
import type { Patience } from "./patience.ts";
import type { ServeAdapters } from "./serve-adapters.ts";

/** What every stage of the start gets; it returns what it opens to the next stages. */
export interface Stage {
  readonly config: Config;
  readonly adapters: ServeAdapters;
  readonly endpoints: Endpoints;
  /** Opens what is not available yet as soon as it is. */
  readonly patience: Patience;
  /** Closes what the stages opened, in reverse order. */
  readonly running: AsyncDisposableStack;
}
