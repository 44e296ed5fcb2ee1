import type { SystemConfig } from "../system-config.ts";

/** Something that no system can be told. */
export interface ConfigProblem {
  /** As in `users[0].name`: names of SystemConfig, indices of its lists. */
  readonly field: string;
  /** A clause for people, without secrets: "is not a time zone". */
  readonly problem: string;
}

/** Every problem of a config by itself, whatever the image is. */
export function findConfigProblems(_config: SystemConfig): readonly ConfigProblem[] {
  return [];
}
