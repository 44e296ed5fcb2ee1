/** What the last run of one file of long tests came to. */
export interface LongResult {
  /** Path from the top of the tree. */
  readonly file: string;
  readonly passed: number;
  readonly failed: number;
  readonly minutes: number;
  /** When it ended: ISO 8601 in UTC, to the minute. */
  readonly endedAt: string;
  /** The commit that was tested, in full. */
  readonly commit: string;
  readonly machine: string;
}

export const columns = ["Test", "Passed", "Failed", "Minutes", "Ended", "Commit", "Machine"] as const;
