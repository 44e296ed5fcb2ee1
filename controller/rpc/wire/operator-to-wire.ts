import type * as wire from "../../../proto/gen/pallet/v1/controller.ts";
import { operatorRoles } from "../../../proto/words/operator-role.ts";
import type { Operator } from "../../identity/identity-rows.ts";

/** An operator as he travels. */
export function operatorToWire({ name, role, addedAt, expiresAt, revokedAt, fingerprint }: Operator): wire.Operator {
  return {
    name,
    role: operatorRoles.toWire(role),
    addedAt: new Date(addedAt),
    expiresAt: new Date(expiresAt),
    revokedAt: revokedAt === undefined ? undefined : new Date(revokedAt),
    fingerprint,
  };
}
