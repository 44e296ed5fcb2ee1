import type { Operator } from "../../../proto/gen/pallet/v1/controller.ts";
import { type OperatorRole, operatorRoles } from "../../../proto/words/operator-role.ts";
import { toTime } from "./wire-values.ts";

/** An operator as `--json` shows him. */
export interface OperatorView {
  readonly name: string;
  readonly role: OperatorRole | "unknown";
  readonly addedAt: string | null;
  readonly expiresAt: string | null;
  /** Null while he is not revoked. */
  readonly revokedAt: string | null;
  /** SHA-256 of his certificate (DER) in base64url. */
  readonly fingerprint: string;
}

/** An operator as he came over the wire. */
export function viewOperator({ name, role, addedAt, expiresAt, revokedAt, fingerprint }: Operator): OperatorView {
  return {
    name,
    role: operatorRoles.fromWire(role) ?? "unknown",
    addedAt: toTime(addedAt),
    expiresAt: toTime(expiresAt),
    revokedAt: toTime(revokedAt),
    fingerprint,
  };
}
