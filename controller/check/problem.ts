/** The part of a boot that a problem concerns. */
export const problemParts = [
  "rights",
  "clock",
  "programs",
  "network",
  "ports",
  "boot tree",
  "root filesystem",
  "disk space",
  "hooks",
] as const;
export type ProblemPart = (typeof problemParts)[number];

/** Something that would keep a node from booting, or from being reimaged. */
export interface Problem {
  readonly part: ProblemPart;
  /** What is wrong: one sentence without its full stop. */
  readonly message: string;
  /** The remedy: a command, or what to set. */
  readonly remedy: string;
  /** Whether it persists until someone acts and restarts the controller: then the controller does not start. */
  readonly isFatal: boolean;
}
