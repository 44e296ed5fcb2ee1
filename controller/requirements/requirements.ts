import type { Need } from "../../proto/linux/debian-package.ts";

/** What a command needs of this machine before it can begin. */
export interface Requirements {
  /** The command as users know it: "rootfs build". */
  readonly command: string;
  /** Why only root can do it; absent where anyone can. */
  readonly root?: string;
  readonly needs: readonly Need[];
  /** Folders that it writes to and makes when they do not exist. */
  readonly writes?: readonly string[];
}

/** The unmet part of it. */
export interface Unmet {
  readonly needs: readonly Need[];
  readonly notRoot: boolean;
  /** Those of the folders that this user may not write to. */
  readonly unwritable: readonly string[];
}
