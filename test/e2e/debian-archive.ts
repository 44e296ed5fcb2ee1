import { checkoutCache } from "../../controller/artefacts/checkout-cache.ts";

/** Where Debian's packages come from unless an operator says otherwise. */
export const mirror = "http://deb.debian.org/debian";

/**
 * Debian as `rootfs build` and `boot-tree build` take it by default; what was fetched once is kept for all checkouts.
 */
export const archive = {
  cacheDirectory: checkoutCache("boot-tree"),
  suite: "bookworm",
  mirror,
  refresh: false,
  log: () => {},
} as const;
