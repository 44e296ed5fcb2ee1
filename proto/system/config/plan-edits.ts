import type { SystemConfig } from "../system-config.ts";
import type { SystemAbilities } from "./abilities.ts";
import type { Edit } from "./edit.ts";

/** What beside the config decides what is written. */
export interface PlanAbout {
  /** Digest of the config, as the stamp has it: 64 hexadecimal digits. */
  readonly digest: string;
  /** Host keys that were made for the system, in OpenSSH's private format; absent while they are not made yet. */
  readonly madeHostKeys?: readonly string[];
}

/**
 * What is written where, in the order in which it is to be made. Only for a config in which judgeConfig() finds nothing to refuse.
 */
export function planEdits(_config: SystemConfig, _abilities: SystemAbilities, _about: PlanAbout): readonly Edit[] {
  return [];
}
