import { createHmac } from "node:crypto";
import type { SystemConfig } from "../../proto/system/system-config.ts";

/**
 * The digest of a config: HMAC-SHA256 with a key that only the controller has, 64 hexadecimal digits. Everybody who reads a
 * node's card may read it, and so it must not be a means to guess a secret.
 */
export function digestConfig(config: SystemConfig, key: Uint8Array): string {
  return createHmac("sha256", key).update(canonicalJson(config)).digest("hex");
}

/** JSON that is the same for the same value, whatever the order of its fields; bytes as base64. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(canonical(value));
}

function canonical(value: unknown): unknown {
  if (value instanceof Uint8Array) return { base64: Buffer.from(value).toString("base64") };
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  const sorted = fields.toSorted(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(sorted.map(([name, field]) => [name, canonical(field)]));
}
