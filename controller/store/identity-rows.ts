import type { DatabaseSync } from "node:sqlite";
import type { NodeId } from "../../proto/names/node-id.ts";
import type { AgentRole } from "../../proto/system/agent-program.ts";
import type { OperatorRole } from "../../proto/words/operator-role.ts";
import type { IdentityRows } from "../identity/identity-rows.ts";
import { numberOf, optionalNumberOf, textOf } from "./row.ts";
import { inTransaction } from "./transaction.ts";
import { withoutFlush } from "./without-flush.ts";

/** Keeps operators, used tokens and what was issued to nodes, in a table each. */
export function createIdentityRows(database: DatabaseSync): IdentityRows {
  const tokens = database.prepare("SELECT id, key_hash, expires_at FROM used_tokens ORDER BY expires_at");
  const forgetTokens = database.prepare("DELETE FROM used_tokens WHERE expires_at < ?");
  const addToken = database.prepare(
    "INSERT INTO used_tokens (id, key_hash, expires_at) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING",
  );
  const certificates = database.prepare("SELECT node_id, role, authority, expires_at FROM node_certificates");
  const addCertificate = database.prepare(
    `INSERT INTO node_certificates (node_id, role, authority, expires_at) VALUES (?, ?, ?, ?)
     ON CONFLICT (node_id, role) DO UPDATE SET authority = excluded.authority, expires_at = excluded.expires_at`,
  );
  const cutCertificates = database.prepare(
    `DELETE FROM node_certificates WHERE rowid IN
       (SELECT rowid FROM node_certificates ORDER BY expires_at DESC LIMIT -1 OFFSET ?)`,
  );
  const operators = database.prepare(
    "SELECT name, role, fingerprint, authority, added_at, expires_at, revoked_at FROM operators",
  );
  const addOperator = database.prepare(
    `INSERT OR REPLACE INTO operators (name, role, fingerprint, authority, added_at, expires_at, revoked_at)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  );
  const removeOperator = database.prepare("DELETE FROM operators WHERE name = ?");
  return {
    usedTokens: () =>
      tokens.all().map((row) => ({
        id: textOf(row, "id"),
        keyHash: textOf(row, "key_hash"),
        expiresAt: numberOf(row, "expires_at"),
      })),
    saveUsedToken({ id, keyHash, expiresAt }, now) {
      inTransaction(database, () => {
        forgetTokens.run(now);
        addToken.run(id, keyHash, expiresAt);
      });
    },
    nodeCertificates: () =>
      certificates.all().map((row) => ({
        nodeId: textOf(row, "node_id") as NodeId,
        role: textOf(row, "role") as AgentRole,
        authority: textOf(row, "authority"),
        expiresAt: numberOf(row, "expires_at"),
      })),
    saveNodeCertificate({ nodeId, role, authority, expiresAt }, most) {
      withoutFlush(database, () => {
        addCertificate.run(nodeId, role, authority, expiresAt);
        cutCertificates.run(most);
      });
    },
    operators: () =>
      operators.all().map((row) => {
        const revokedAt = optionalNumberOf(row, "revoked_at");
        return {
          name: textOf(row, "name"),
          role: textOf(row, "role") as OperatorRole,
          fingerprint: textOf(row, "fingerprint"),
          authority: textOf(row, "authority"),
          addedAt: numberOf(row, "added_at"),
          expiresAt: numberOf(row, "expires_at"),
          ...(revokedAt !== undefined && { revokedAt }),
        };
      }),
    saveOperator({ name, role, fingerprint, authority, addedAt, expiresAt, revokedAt }) {
      addOperator.run(name, role, fingerprint, authority, addedAt, expiresAt, revokedAt ?? null);
    },
    removeOperator(name) {
      removeOperator.run(name);
    },
  };
}
