import type { FetchSettings } from "../../../../agent/write/fetch-range.ts";

/** As patient as a test can be. */
export const impatient: FetchSettings = {
  idleTimeoutMs: 60,
  giveUpAfterMs: 250,
  backoff: { firstMs: 1, capMs: 5, random: () => 0 },
};
