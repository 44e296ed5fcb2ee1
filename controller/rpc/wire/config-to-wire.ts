import type { ConfigSummary } from "../../../proto/gen/pallet/v1/rollout.ts";
import type { InstalledConfig } from "../../nodes/node.ts";

/** Converts what may be known of a config. */
export function configToWire({ digest, profiles, hostname, loginUser, hostKeys }: InstalledConfig): ConfigSummary {
  return {
    digest,
    profiles: [...profiles],
    hostname: hostname ?? "",
    loginUser: loginUser ?? "",
    hostKeys: [...(hostKeys ?? [])],
  };
}
