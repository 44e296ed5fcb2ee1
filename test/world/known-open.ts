import type { Leave } from "./judge-seed.ts";

/** What today's code is known to break; to become empty. */
export const knownOpen: Leave = {
  accidents: [],
  invariants: [],
};
