import type { SystemConfig } from "../../proto/system/system-config.ts";

/** What a node's system is to be, as its profiles say. It has secrets: it is kept nowhere. */
export interface NodeSystem {
  readonly config: SystemConfig;
  readonly summary: ConfigSummary;
}

/** What may be known of a config everywhere. Plain data: it is journaled, and kept with the node. */
export interface ConfigSummary {
  /** HMAC-SHA256 of the config, 64 hexadecimal digits; see `digestConfig`. */
  readonly digest: string;
  /** Names of its profiles, in the order in which they were merged. */
  readonly profiles: readonly string[];
  /** Absent if the image's stays. */
  readonly hostname?: string;
  /** The only user whom it lets in by a key; absent if there is none, or more than one. */
  readonly loginUser?: string;
}

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
