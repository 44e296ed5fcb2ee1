import { createHash, randomBytes } from "node:crypto";
import { parseToken, renderToken, tokenValidityMs } from "../../proto/identity/token.ts";
import { limits } from "../../proto/limits.ts";
import type { NodeId } from "../../proto/names/node-id.ts";
import type { Clock } from "../../proto/time/clock.ts";
import { remember } from "../records/remember.ts";
import { isUnavailable } from "../refusal/refusal.ts";
import type { IdentityRows } from "./identity-rows.ts";
import { judgeToken, renderProof } from "./judge-token.ts";

/**
 * Tokens for one enrolment each. They hold their own proof, so that nothing is remembered of those that are only made:
 * however many boot configs strangers ask for, no other node's token suffers. A token proves no more than that somebody
 * could ask for a boot config as that MAC address.
 */
export interface Tokens {
  /** A fresh token for a boot of this node. */
  mint(nodeId: NodeId): string;
  /**
   * Uses a token for a public key (DER), and says why it is refused, for a sentence that starts with "its token";
   * undefined when it is good. The same token for the same key is good again: answers get lost.
   */
  use(token: string, nodeId: NodeId, publicKey: Uint8Array): string | undefined;
}

/**
 * @param key 32 octets; whoever has it can make tokens
 * @param grace the time for those from before the clock was set ahead
 */
export function createTokens({
  key,
  rows,
  clock,
  grace = clock,
}: {
  readonly key: Uint8Array;
  readonly rows: Pick<IdentityRows, "usedTokens" | "saveUsedToken">;
  readonly clock: Pick<Clock, "now">;
  readonly grace?: Pick<Clock, "now">;
}): Tokens {
  const used = new Map(rows.usedTokens().map(({ id, keyHash }) => [id, keyHash]));
  return {
    mint(nodeId) {
      const [issuedAt, random] = [clock.now(), randomBytes(10)];
      return renderToken({ issuedAt, random, proof: renderProof(key, { nodeId, issuedAt, random }) });
    },
    use(text, nodeId, publicKey) {
      const token = parseToken(text);
      const graceMs = grace.now();
      const problemAt = (nowMs: number) => judgeToken(token, { key, nodeId, nowMs });
      const problem = problemAt(clock.now()) && problemAt(graceMs);
      if (problem !== undefined || token === undefined) return problem;
      const id = Buffer.from(token.proof).toString("base64url");
      const keyHash = createHash("sha256").update(publicKey).digest("base64url");
      const before = used.get(id);
      if (before !== undefined) return before === keyHash ? undefined : "was used already, for another key";
      remember(used, id, keyHash, limits.enrolment.usedTokens.most);
      try {
        rows.saveUsedToken({ id, keyHash, expiresAt: token.issuedAt + tokenValidityMs }, graceMs);
      } catch (error) {
        // A full disk must not keep a rack from booting; it is remembered while this process lives.
        if (!isUnavailable(error)) throw error;
      }
      return undefined;
    },
  };
}
