import type { Need } from "../../../proto/linux/debian-package.ts";

/** Looking into an image without mounting it. */
export const imageNeeds: readonly Need[] = ["blkid", "mdir", "mtype", "debugfs"];
