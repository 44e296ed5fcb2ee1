import { limits } from "../../proto/limits.ts";

/**
 * What an answer to a webhook means. Redirects are not followed: what is signed for one address is not sent to another.
 * Of refusals only those that a receiver takes back by itself are worth another try.
 */
export function judgeAnswer(statusCode: number): "taken" | "later" | "refused" {
  if (statusCode >= 200 && statusCode < 300) return "taken";
  return statusCode === 429 || statusCode >= 500 ? "later" : "refused";
}

/**
 * How long a receiver wants to be left alone, in milliseconds: Retry-After in seconds or as a date (RFC 9110, 10.2.3). 0
 * for one that cannot be read, or is past; at most `limits.hooks.retryAfterMs`.
 *
 * @param now milliseconds since the epoch
 */
export function parseRetryAfter(header: string, now: number): number {
  const text = header.trim();
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), limits.hooks.retryAfterMs.most) : 0;
}
