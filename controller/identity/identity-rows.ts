import type { NodeId } from "../../proto/names/node-id.ts";
import type { AgentRole } from "../../proto/system/agent-program.ts";
import type { OperatorRole } from "../../proto/words/operator-role.ts";

/** A token that was used. */
export interface UsedToken {
  /** What tells it apart from all others. */
  readonly id: string;
  /** SHA-256 of the public key that it was used for, base64url. */
  readonly keyHash: string;
  /** When the token itself is too old, in milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** The last certificate that one agent of a node got. */
export interface NodeCertificate {
  readonly nodeId: NodeId;
  readonly role: AgentRole;
  /** Fingerprint of the authority that signed it. */
  readonly authority: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** Somebody who is let in from elsewhere. */
export interface Operator {
  readonly name: string;
  readonly role: OperatorRole;
  /** Fingerprint of the one certificate of his that counts. */
  readonly fingerprint: string;
  /** Fingerprint of the authority that signed it. */
  readonly authority: string;
  /** Milliseconds since the epoch, like those below. */
  readonly addedAt: number;
  readonly expiresAt: number;
  readonly revokedAt?: number;
}

/** What of identities is kept on disk, besides the authorities' files. */
export interface IdentityRows {
  usedTokens(): readonly UsedToken[];
  /** Keeps a token, and forgets those that are too old at `now`. Durable: a token that was used stays used. */
  saveUsedToken(token: UsedToken, now: number): void;
  nodeCertificates(): readonly NodeCertificate[];
  /** Replaces the one of the same node and role; keeps at most `most`, those that expire last. */
  saveNodeCertificate(certificate: NodeCertificate, most: number): void;
  operators(): readonly Operator[];
  /** Adds or replaces the operator of that name. Durable. */
  saveOperator(operator: Operator): void;
  removeOperator(name: string): void;
}
