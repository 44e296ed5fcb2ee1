import { checkoutCache } from "../../controller/artefacts/checkout-cache.ts";
import { defaultMirror, defaultSuite } from "../../controller/artefacts/debian-defaults.ts";

/**
 * Debian as `rootfs build` and `boot-tree build` take it by default; what was fetched once is kept for all checkouts.
 */
export const archive = {
  cacheDirectory: checkoutCache("boot-tree"),
  suite: defaultSuite,
  mirror: defaultMirror,
  refresh: false,
  log: () => {},
} as const;
