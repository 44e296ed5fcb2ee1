import { cutText } from "../../proto/cut-text.ts";
import { fingerprintOf } from "../../proto/identity/authority-name.ts";
import { isOperatorName, operatorNameForm } from "../../proto/identity/identity.ts";
import { limits } from "../../proto/limits.ts";
import type { Clock } from "../../proto/time/clock.ts";
import type { OperatorRole } from "../../proto/words/operator-role.ts";
import type { EventLog } from "../events/event-log.ts";
import { alreadyExists, invalid, notFound, precondition, Refusal } from "../refusal/refusal.ts";
import type { Authority } from "./authority.ts";
import type { IdentityRows, Operator } from "./identity-rows.ts";
import { mostOperatorDays } from "./validity.ts";

const dayMs = 24 * 60 * 60_000;

/** Those who are let in from elsewhere, by certificates that name them. */
export interface Operators {
  /** By name, with those that were revoked. */
  list(): readonly Operator[];
  /** Throws a Failure or Refusal as documented at AddOperator. */
  add(request: {
    readonly name: string;
    readonly role: OperatorRole;
    /** PKCS #10, DER. */
    readonly csr: Uint8Array;
    readonly validForMs?: number;
  }): { readonly operator: Operator; readonly certificate: Uint8Array };
  /** Throws a Refusal when there is none of this name, or he is revoked already. */
  revoke(name: string): Operator;
  /** What the holder of a certificate may do now; undefined when it is not the one that counts, or he is revoked. */
  roleOf(name: string, fingerprint: string): OperatorRole | undefined;
  /** Notifies of everyone whose certificate has stopped to count, by name, until the returned function is called. */
  onShutOut(listener: (name: string) => void): () => void;
  /** Tells them of one whose certificate does not count any more for another reason. */
  shutOut(name: string): void;
}

export function createOperators({
  rows,
  authority,
  events,
  clock,
}: {
  readonly rows: Pick<IdentityRows, "operators" | "saveOperator" | "removeOperator">;
  readonly authority: Pick<Authority, "issue">;
  readonly events: Pick<EventLog, "append">;
  readonly clock: Pick<Clock, "now">;
}): Operators {
  const all = new Map(rows.operators().map((operator) => [operator.name, operator]));
  const listeners = new Set<(name: string) => void>();
  const save = (operator: Operator): void => {
    rows.saveOperator(operator);
    all.set(operator.name, operator);
  };
  const shutOut = (name: string): void => {
    for (const listener of listeners) listener(name);
  };
  const makeRoom = (): void => {
    const most = limits.enrolment.operators.most;
    if (all.size < most) return;
    const [oldest] = [...all.values()]
      .filter(({ revokedAt }) => revokedAt !== undefined)
      .toSorted((one, other) => (one.revokedAt ?? 0) - (other.revokedAt ?? 0));
    if (oldest === undefined) throw new Refusal("exhausted", `there are ${most} operators already; revoke some`);
    rows.removeOperator(oldest.name);
    all.delete(oldest.name);
  };

  return {
    list: () => [...all.values()].toSorted((one, other) => (one.name < other.name ? -1 : 1)),
    add({ name, role, csr, validForMs }) {
      if (!isOperatorName(name))
        throw invalid(`"${cutText(name, 80)}" cannot be an operator's name, which is ${operatorNameForm}`);
      if (validForMs !== undefined && !(validForMs >= dayMs && validForMs <= mostOperatorDays * dayMs)) {
        throw invalid(`an operator's certificate is good for 1 to ${mostOperatorDays} days`);
      }
      const [before, now] = [all.get(name), clock.now()];
      if (before !== undefined && before.revokedAt === undefined && before.expiresAt > now) {
        throw alreadyExists(`there is an operator called ${name} already (${before.role}); revoke him first`);
      }
      const {
        certificate,
        expiresAt,
        authority: signer,
      } = authority.issue(csr, { kind: "operator", name }, validForMs);
      if (before === undefined) makeRoom();
      const operator: Operator = {
        ...{ name, role, expiresAt, authority: signer, addedAt: now },
        fingerprint: fingerprintOf(certificate),
      };
      save(operator);
      if (before !== undefined) shutOut(name);
      const until = new Date(expiresAt).toISOString().slice(0, 10);
      const message = `operator ${name} was added as ${role}, until ${until}`;
      events.append({ type: "operator-added", severity: "info", message });
      return { operator, certificate };
    },
    revoke(name) {
      const before = all.get(name);
      if (before === undefined) throw notFound(`there is no operator called ${cutText(name, 80)}`);
      if (before.revokedAt !== undefined) throw precondition(`operator ${name} is revoked already`);
      const operator = { ...before, revokedAt: clock.now() };
      save(operator);
      shutOut(name);
      events.append({ type: "operator-revoked", severity: "info", message: `operator ${name} was revoked` });
      return operator;
    },
    roleOf(name, fingerprint) {
      const operator = all.get(name);
      const counts = operator?.fingerprint === fingerprint && operator.revokedAt === undefined;
      return counts ? operator.role : undefined;
    },
    shutOut,
    onShutOut(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
