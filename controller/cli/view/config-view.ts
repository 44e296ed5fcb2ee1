import { createHash } from "node:crypto";
import type { ConfigSummary } from "../../../proto/gen/pallet/v1/rollout.ts";
import { toText } from "./wire-values.ts";

/** What may be known of a config, as `--json` shows it. */
export interface ConfigView {
  readonly digest: string;
  readonly profiles: readonly string[];
  readonly hostname: string | null;
  readonly loginUser: string | null;
  readonly hostKeys: readonly HostKeyView[];
}

/** A public host key. */
export interface HostKeyView {
  /** "ssh-ed25519 AAAA…". */
  readonly key: string;
  /** As ssh-keygen(1) -l and ssh(1) show it: "SHA256:…". */
  readonly fingerprint: string;
}

/** Converts from the wire. */
export function viewConfig(config: ConfigSummary | undefined): ConfigView | null {
  if (config === undefined) return null;
  const { digest, profiles, hostname, loginUser, hostKeys } = config;
  return {
    ...{ digest, profiles, hostname: toText(hostname), loginUser: toText(loginUser) },
    hostKeys: hostKeys.map((key) => ({ key, fingerprint: fingerprintOf(key) })),
  };
}

function fingerprintOf(key: string): string {
  const bytes = Buffer.from(key.split(" ")[1] ?? "", "base64");
  return `SHA256:${createHash("sha256").update(bytes).digest("base64").replace(/=+$/, "")}`;
}
