/** What part of a boot a problem is about. */
export const problemParts = [
  "rights",
  "programs",
  "network",
  "ports",
  "boot tree",
  "root filesystem",
  "disk space",
] as const;
export type ProblemPart = (typeof problemParts)[number];

/** Something that would keep a node from booting. */
export interface Problem {
  readonly part: ProblemPart;
  /** What is wrong: one sentence without its full stop. */
  readonly message: string;
  /** What mends it: a command, or what to set. */
  readonly remedy: string;
  /** Whether it stays until someone acts and the controller is started again: then it does not start. */
  readonly isFatal: boolean;
}
