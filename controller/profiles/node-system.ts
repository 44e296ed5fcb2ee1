import type { SystemConfig } from "../../proto/system/system-config.ts";
import type { InstalledConfig } from "../nodes/node.ts";
import type { FromHook } from "./hook-values.ts";

/** What a node's system is to be, as its profiles say. It has secrets: it is kept nowhere. */
export interface NodeSystem {
  readonly config: SystemConfig;
  readonly summary: ConfigSummary;
  /** What of it comes from before-reimage hooks: until the write, names stand for that. Absent where nothing does. */
  readonly fromHooks?: readonly FromHook[];
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

/** Where what hooks give comes from, one each: "the secret join_token of the hook join". */
export function describeFromHooks({ fromHooks = [] }: Pick<NodeSystem, "fromHooks">): readonly string[] {
  return fromHooks.map(({ kind, name, hook }) => `the ${kind} ${name} of the hook ${hook}`);
}

/** The digest of a config as people see it. */
export function shortConfig(digest: string): string {
  return digest.slice(0, 12);
}
