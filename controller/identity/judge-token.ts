import { createHmac, timingSafeEqual } from "node:crypto";
import { renderTime, type Token, tokenValidityMs } from "../../proto/identity/token.ts";
import type { NodeId } from "../../proto/names/node-id.ts";

/** What shows that a token was made with this key, for this node, then: 16 octets. */
export function renderProof(
  key: Uint8Array,
  { nodeId, issuedAt, random }: Pick<Token, "issuedAt" | "random"> & { readonly nodeId: NodeId },
): Uint8Array {
  const text = Buffer.concat([Buffer.from(`${nodeId}|`, "ascii"), renderTime(issuedAt), Buffer.from("|"), random]);
  return createHmac("sha256", key).update(text).digest().subarray(0, 16);
}

/**
 * Why a token is refused, for a sentence that starts with "its token"; undefined for a good one. Whether it was used is
 * another question.
 *
 * @param nowMs milliseconds since the epoch. Tokens from as far ahead as they are good for are taken: the clock was set
 *   back since
 */
export function judgeToken(
  token: Token | undefined,
  { key, nodeId, nowMs }: { readonly key: Uint8Array; readonly nodeId: NodeId; readonly nowMs: number },
): string | undefined {
  if (token === undefined) return "is malformed";
  const { issuedAt, random, proof } = token;
  if (!timingSafeEqual(proof, renderProof(key, { nodeId, issuedAt, random }))) {
    return "was not made by this controller for this node";
  }
  const ageMs = nowMs - issuedAt;
  if (ageMs > tokenValidityMs) return `is too old: it was good for ${tokenValidityMs / 60_000} minutes`;
  if (ageMs < -tokenValidityMs) return "is from before this controller's clock was set back";
  return undefined;
}
