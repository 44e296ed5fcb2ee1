// What is tested of operators and of certificate authorities.
import assert from "node:assert/strict";
import { randomBytes, X509Certificate } from "node:crypto";
import { type AddOperatorRequest, type Authority, OperatorRole } from "../../../proto/gen/pallet/v1/controller.ts";
import { createKey, createRequest } from "../../../proto/identity/certificate-request.ts";
import { identityOf } from "../../../proto/identity/identity.ts";
import { judgePeer } from "../../../proto/identity/judge-peer.ts";
import { answer } from "../calls.ts";
import type { Refusal, ServiceChecks } from "./checks.ts";
import type { World } from "./world.ts";

const newName = (): string => `ada-${randomBytes(4).toString("hex")}`;
const operatorOf = (more: Partial<AddOperatorRequest> = {}): AddOperatorRequest => ({
  name: newName(),
  role: OperatorRole.OPERATOR_ROLE_VIEWER,
  csrDer: Buffer.from(createRequest(createKey())),
  validFor: undefined,
  ...more,
});
const add = ({ controller }: World, more?: Partial<AddOperatorRequest>) =>
  answer(controller, controller.addOperator, operatorOf(more));
const revoke = ({ controller }: World, name: string) => answer(controller, controller.revokeOperator, { name });
const authorities = async ({ controller }: World): Promise<Authority[]> =>
  (await answer(controller, controller.getAuthorities, {})).authorities;
const rotate = ({ controller }: World) => answer(controller, controller.rotateAuthority, {});
const retire = ({ controller }: World, id: string, force = false) =>
  answer(controller, controller.retireAuthority, { id, force });
const idOf = (all: readonly Authority[]): string => all[0]?.id ?? "";

const malformed: readonly (readonly [when: string, says: RegExp, more: Partial<AddOperatorRequest>])[] = [
  ["the name is malformed", /cannot be an operator's name, which is 1 to 63/, { name: "Ada Lovelace" }],
  ["the role is missing", /role is missing/, { role: OperatorRole.OPERATOR_ROLE_UNSPECIFIED }],
  ["the certificate would be good for an hour", /good for 1 to 3650 days/, { validFor: { seconds: 3600n, nanos: 0 } }],
  ["the request is none", /certificate request is refused/, { csrDer: Buffer.from("no request") }],
];

/** Tests of AddOperator to RetireAuthority. */
export const controllerIdentityChecks: ServiceChecks = {
  AddOperator: {
    success: {
      "makes a certificate for the operator's key that the controller's authority signed": async (world) => {
        const name = newName();
        const { operator, certificateDer, caCertificates } = await add(world, { name });
        const certificate = new X509Certificate(certificateDer);
        assert.deepEqual(identityOf(certificate), { kind: "operator", name });
        const trusted = caCertificates.map((each) => new X509Certificate(each));
        assert.equal(judgePeer(certificate, trusted, Date.now(), "client").kind, "known");
        assert.equal(operator?.expiresAt?.getTime(), certificate.validToDate.getTime());
      },
    },
    errors: {
      INVALID_ARGUMENT: malformed.map(
        ([when, says, more]): Refusal => ({
          when,
          reason: "FAILURE_REASON_INVALID",
          says,
          call: (world) => add(world, more),
        }),
      ),
      ALREADY_EXISTS: [
        {
          when: "there is an operator of this name",
          reason: "FAILURE_REASON_INVALID",
          says: /there is an operator called ada-.* already \(viewer\); revoke him first/,
          call: async (world) => {
            const name = newName();
            await add(world, { name });
            return add(world, { name });
          },
        },
      ],
    },
  },

  ListOperators: {
    success: {
      "shows those who were revoked too": async (world) => {
        const [kept, revoked] = [newName(), newName()];
        await add(world, { name: kept, role: OperatorRole.OPERATOR_ROLE_ADMIN });
        await add(world, { name: revoked });
        await revoke(world, revoked);
        const { operators } = await answer(world.controller, world.controller.listOperators, {});
        const found = (name: string) => operators.find((operator) => operator.name === name);
        assert.equal(found(kept)?.role, OperatorRole.OPERATOR_ROLE_ADMIN);
        assert.equal(found(kept)?.revokedAt, undefined);
        assert.ok(found(revoked)?.revokedAt);
      },
    },
  },

  RevokeOperator: {
    success: {
      "frees the name": async (world) => {
        const { operator } = await add(world);
        const name = operator?.name ?? "";
        const answered = await revoke(world, name);
        assert.ok(answered.operator?.revokedAt);
        await add(world, { name });
      },
    },
    errors: {
      NOT_FOUND: [
        {
          when: "there is none of this name",
          reason: "FAILURE_REASON_INVALID",
          says: /there is no operator called nobody/,
          call: (world) => revoke(world, "nobody"),
        },
      ],
      FAILED_PRECONDITION: [
        {
          when: "he is revoked already",
          reason: "FAILURE_REASON_INVALID",
          says: /is revoked already/,
          call: async (world) => {
            const { operator } = await add(world);
            await revoke(world, operator?.name ?? "");
            return revoke(world, operator?.name ?? "");
          },
        },
      ],
    },
  },

  GetAuthorities: {
    success: {
      "names who goes by each": async (world) => {
        const { operator } = await add(world);
        const [current] = await authorities(world);
        assert.equal(current?.current, true);
        assert.match(current?.id ?? "", /^[0-9a-f]{32}$/);
        assert.ok(new X509Certificate(current?.certificateDer ?? "").ca);
        assert.ok(current?.operators.includes(operator?.name ?? ""));
        await revoke(world, operator?.name ?? "");
      },
    },
  },

  RotateAuthority: {
    success: {
      "has another one sign, and keeps the former one": async (world) => {
        const before = await authorities(world);
        const { authority } = await rotate(world);
        const after = await authorities(world);
        assert.deepEqual(
          after.map(({ id }) => id),
          [authority?.id, ...before.map(({ id }) => id)],
        );
        assert.deepEqual(
          after.map(({ current }) => current),
          [true, ...before.map(() => false)],
        );
      },
    },
  },

  RetireAuthority: {
    success: {
      "forgets a former one, by the beginning of its id": async (world) => {
        const former = idOf(await authorities(world));
        await rotate(world);
        await retire(world, former.slice(0, 12), true);
        assert.ok(!(await authorities(world)).some(({ id }) => id === former));
      },
    },
    errors: {
      NOT_FOUND: [
        {
          when: "there is none",
          reason: "FAILURE_REASON_INVALID",
          says: /no authority is called zzzz/,
          call: (world) => retire(world, "zzzz"),
        },
      ],
      INVALID_ARGUMENT: [
        {
          when: "several begin so",
          reason: "FAILURE_REASON_INVALID",
          says: /give at least 4 digits/,
          call: async (world) => retire(world, idOf(await authorities(world)).slice(0, 3)),
        },
      ],
      FAILED_PRECONDITION: [
        {
          when: "it is the current one",
          reason: "FAILURE_REASON_INVALID",
          says: /is the one that signs; rotate first/,
          call: async (world) => retire(world, idOf(await authorities(world)), true),
        },
        {
          when: "an operator goes by it",
          reason: "FAILURE_REASON_INVALID",
          says: /still is the one of .*operator ada-.*--force/,
          call: async (world) => {
            const former = idOf(await authorities(world));
            await add(world);
            await rotate(world);
            return retire(world, former);
          },
        },
      ],
    },
  },
};
