import type { SystemConfig } from "../../proto/system/system-config.ts";
import type { InstalledConfig } from "../nodes/node.ts";

/** What a node's system is to be, as its profiles say. It has secrets: it is kept nowhere. */
export interface NodeSystem {
  readonly config: SystemConfig;
  readonly summary: ConfigSummary;
}

/** What may be known of a config everywhere: it is journaled, and kept with the node. */
export type ConfigSummary = Omit<InstalledConfig, "hostKeys">;

/** What a config is known by. */
export function summaryOf(config: SystemConfig, digest: string, profiles: readonly string[]): ConfigSummary {
  const letIn = (config.users ?? []).filter(({ authorizedKeys }) => (authorizedKeys?.length ?? 0) > 0);
  const [only, ...others] = letIn;
  return {
    ...{ digest, profiles },
    ...(config.hostname !== undefined && { hostname: config.hostname }),
    ...(only !== undefined && others.length === 0 && { loginUser: only.name }),
  };
}

/** The digest of a config as people see it. */
export function shortConfig(digest: string): string {
  return digest.slice(0, 12);
}
