import type { SystemConfig } from "../system-config.ts";
import type { SystemAbilities } from "./abilities.ts";

/**
 * Why a system cannot take a config: one sentence for each reason, which names the field, what the system lacks, and the
 * remedy. Empty when it can take all of it.
 */
export function judgeConfig(_config: SystemConfig, _abilities: SystemAbilities): readonly string[] {
  return [];
}
