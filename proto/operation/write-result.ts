import type { PartitionIdChange } from "../system/installed-system.ts";

/** What became of the root partition; see pallet.v1.GrowthResult. */
export interface GrowthResult {
  readonly partitionBytes: number;
  readonly filesystemGrown: boolean;
  /** Why something was not grown, or not to the end: a clause for people. */
  readonly limit?: string;
}

/** What a write made of the disk besides the image; see pallet.v1.WriteResult. */
export interface WriteResult {
  /** Absent if nothing was to be grown. */
  readonly growth?: GrowthResult;
  readonly ids: readonly PartitionIdChange[];
  /**
   * Public host keys that a config gave to the system's SSH server, as "ssh-ed25519 AAAA…"; absent if it gave none.
   */
  readonly hostKeys?: readonly string[];
}

/** Whether it is a public key without a comment: what comes from an agent ends up in known_hosts files. */
export function isPublicHostKey(line: string): boolean {
  return /^[a-z0-9@.-]{1,64} [A-Za-z0-9+/]{16,3000}={0,2}$/.test(line);
}
