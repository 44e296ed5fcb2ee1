import { createHmac } from "node:crypto";
import type { HookSecret } from "./parse-hook-secret.ts";

/**
 * The headers by which a receiver knows who calls: Standard Webhooks 1.0.0, symmetric scheme (HMAC-SHA256, "v1").
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 *
 * @param id without a full stop; the same over all tries
 * @param at of this try, in milliseconds since the epoch
 */
export function signWebhook(id: string, at: number, body: string, secret: HookSecret): Record<string, string> {
  const timestamp = String(Math.floor(at / 1000));
  const signature = createHmac("sha256", secret).update(`${id}.${timestamp}.${body}`).digest("base64");
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": `v1,${signature}` };
}
