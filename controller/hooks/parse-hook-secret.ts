import { Failure } from "../../proto/failure.ts";
import { limits } from "../../proto/limits.ts";

/** The key of a webhook's signature. */
export type HookSecret = Uint8Array;

/** As Standard Webhooks asks for. */
const leastBytes = 24;
const mostBytes = limits.hooks.secretBytes.most;
const remedy = `make one: (printf whsec_; openssl rand -base64 32) >FILE`;

/**
 * Reads the secret in its usual form: "whsec_" and 24 to 64 bytes in base64, on a line of its own. Throws a Failure
 * (invalid) that does not repeat it.
 */
export function parseHookSecret(text: string): HookSecret {
  const [, encoded] = /^whsec_([A-Za-z0-9+/]+={0,2})\s*$/.exec(text) ?? [];
  if (encoded === undefined) throw new Failure("invalid", `it is not one line of "whsec_" and base64; ${remedy}`);
  const secret = Buffer.from(encoded, "base64");
  if (secret.length < leastBytes || secret.length > mostBytes)
    throw new Failure(
      "invalid",
      `its secret has ${secret.length} bytes; it has to have ${leastBytes} to ${mostBytes}; ${remedy}`,
    );
  return secret;
}
