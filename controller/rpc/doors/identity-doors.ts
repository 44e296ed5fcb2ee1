import { durationFromWire } from "../../../proto/duration.ts";
import type * as wire from "../../../proto/gen/pallet/v1/controller.ts";
import { operatorRoles } from "../../../proto/words/operator-role.ts";
import type { KnownAuthority } from "../../identity/authority.ts";
import { invalid } from "../../refusal/refusal.ts";
import { operatorToWire } from "../wire/operator-to-wire.ts";
import { type CallHost, handleUnary } from "./handle-call.ts";
import type { ControllerParts } from "./parts.ts";

type IdentityDoors = Pick<
  wire.ControllerServiceServer,
  "addOperator" | "listOperators" | "revokeOperator" | "getAuthorities" | "rotateAuthority" | "retireAuthority"
>;

/** The doors to who is let in, and by which authority. */
export function createIdentityDoors(host: CallHost, { identity }: Pick<ControllerParts, "identity">): IdentityDoors {
  const { authority, operators } = identity;
  const toWire = (each: KnownAuthority): wire.Authority => {
    const users = identity.usersOf(each);
    return {
      id: each.id,
      fingerprint: each.fingerprint,
      certificateDer: Buffer.from(each.certificate.raw),
      current: each.id === authority.current().id,
      nodes: [...users.nodes],
      operators: [...users.operators],
    };
  };
  return {
    addOperator: handleUnary(host, ({ name, role: given, csrDer: csr, validFor }: wire.AddOperatorRequest) => {
      const role = operatorRoles.fromWire(given);
      if (role === undefined) throw invalid("role is missing: it is viewer, operator or admin");
      const validForMs = validFor && durationFromWire(validFor);
      const { operator, certificate } = operators.add({
        ...{ name, role, csr },
        ...(validForMs !== undefined && { validForMs }),
      });
      return {
        operator: operatorToWire(operator),
        certificateDer: Buffer.from(certificate),
        caCertificates: authority.certificates().map((each) => Buffer.from(each)),
      };
    }),

    listOperators: handleUnary(host, (_request: wire.ListOperatorsRequest) => ({
      operators: operators.list().map(operatorToWire),
    })),

    revokeOperator: handleUnary(host, ({ name }: wire.RevokeOperatorRequest) => ({
      operator: operatorToWire(operators.revoke(name)),
    })),

    getAuthorities: handleUnary(host, (_request: wire.GetAuthoritiesRequest) => ({
      authorities: authority.all().map(toWire),
    })),

    rotateAuthority: handleUnary(host, async (_request: wire.RotateAuthorityRequest) => ({
      authority: toWire(await identity.rotate()),
    })),

    retireAuthority: handleUnary(host, async ({ id, force }: wire.RetireAuthorityRequest) => {
      await identity.retire(id, { force });
      return {};
    }),
  };
}
