import type { FetchSettings } from "../../../../agent/fetch/fetch-range.ts";

/** As patient as a test can be. */
export const impatient: FetchSettings = {
  idleTimeoutMs: 250,
  giveUpAfterMs: 1_500,
  backoff: { firstMs: 1, capMs: 5, random: () => 0 },
  takesPlain: true,
};
