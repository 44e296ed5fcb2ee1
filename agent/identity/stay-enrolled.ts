import type { KeyObject, X509Certificate } from "node:crypto";
import { X509Certificate as Certificate } from "node:crypto";
import type { Logger } from "pino";
import { Failure, messageOf } from "../../proto/failure.ts";
import { fingerprintOf } from "../../proto/identity/authority-name.ts";
import { createKey, createRequest } from "../../proto/identity/certificate-request.ts";
import { identityOf, nodeOf } from "../../proto/identity/identity.ts";
import { type Endpoint, renderEndpoint } from "../../proto/names/endpoint.ts";
import { type AgentIdentity, readAuthorities } from "../../proto/system/agent-identity.ts";
import type { AgentRole } from "../../proto/system/agent-program.ts";
import { type BackoffPolicy, backoff } from "../../proto/time/backoff.ts";
import { type Bell, createBell } from "../../proto/time/bell.ts";
import type { Clock } from "../../proto/time/clock.ts";
import { pause } from "../../proto/time/pause.ts";
import type { ControllerList } from "../registration/controller-list.ts";
import { type Enrol, type EnrolmentRequest, RefusedEnrolmentError } from "./enroller.ts";
import { ForeignControllerError } from "./foreign-controller-error.ts";
import { type ClientTls, clientTls, type IdentityHolder } from "./held-identity.ts";
import { planRenewal } from "./plan-renewal.ts";

/** Who the node is, for its certificate. */
export interface NodeNames {
  readonly bootMac: string;
  readonly serial: string;
  readonly bootId: string;
}

/** What enrolling needs. */
export interface EnrolmentParts {
  readonly role: AgentRole;
  /** What this boot's kernel words say: whom to believe, and the one-time token. */
  readonly words: { readonly authority: string | undefined; readonly token: string | undefined };
  readonly ciphers: string;
  /** Holds nothing yet. */
  readonly holder: IdentityHolder;
  /** What was kept of an earlier run; not this node's, perhaps: a card can be carried to another board. */
  readonly kept: AgentIdentity | undefined;
  readonly controllers: ControllerList;
  readonly enrol: Enrol;
  readonly pin: (at: Endpoint, fingerprint: string, signal: AbortSignal) => Promise<X509Certificate>;
  readonly describeNode: () => Promise<NodeNames>;
  /** Keeps the identity for the agent's next start. */
  readonly keep: (identity: AgentIdentity) => Promise<void>;
  /** Told of the controller's time with each certificate, before it is judged. */
  readonly tellTime: (nowMs: number) => void;
  /** Told whenever the controller gave a certificate, or refused one, or somebody else answered in its place. */
  readonly heard: (answer: "accepted" | "refused") => void;
  readonly backoff: Required<BackoffPolicy>;
  /** Waits after refusals. */
  readonly refusedBackoff: Required<BackoffPolicy>;
  /** The time of day. */
  readonly now: () => number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** An agent that gets its certificate, and keeps having one. */
export interface StayingEnrolled {
  /** Resolves when there is a certificate, or the signal has aborted. */
  readonly enrolled: Promise<void>;
  /** Resolves after the signal has aborted. */
  readonly ended: Promise<void>;
  /** The controller takes the certificate no longer, or it is by a former authority: asks for another one now. */
  renew(): void;
  /** Believes the authorities (DER) that the controller has named in an answer, and no others. */
  learn(told: readonly Uint8Array[]): Promise<void>;
}

/**
 * Sees to it that the agent has a certificate until the signal aborts: with the kept one, where there is one for this
 * node; else with this boot's token, from the controller that the boot's fingerprint pins. Renews it in time. Whatever
 * goes wrong is tried again forever, as registration is: each address of the controller once before a wait. Never
 * rejects.
 */
export function stayEnrolled(parts: EnrolmentParts, signal: AbortSignal): StayingEnrolled {
  const bell = createBell();
  const first = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => first.resolve(), { once: true });
  const ended = run(parts, bell, first.resolve, signal);
  return {
    enrolled: first.promise,
    ended,
    renew: () => bell.ring(),
    async learn(told) {
      const authorities = readAuthorities(told);
      const held = parts.holder.current();
      if (authorities === undefined || held === undefined || areSame(authorities, held.authorities)) return;
      const { key, certificate } = held;
      const known = authorities.map(({ raw }) => fingerprintOf(raw));
      parts.log.info({ authorities: known }, "the controller has other certificate authorities now");
      const next = { key, certificate, authorities };
      parts.holder.hold(next);
      await parts.keep(next);
      if (!isByFirst(next)) bell.ring();
    },
  };
}

/** One run's memory. */
interface Attempting {
  /** The key that the token was used with: the controller answers the same key again, and no other. */
  readonly tokenKey: KeyObject;
  pinned?: X509Certificate;
  /** Until it is known whether it is this node's. */
  kept: AgentIdentity | undefined;
}

async function run(parts: EnrolmentParts, bell: Bell, enrolled: () => void, signal: AbortSignal): Promise<void> {
  const { holder, log, clock } = parts;
  const memory: Attempting = { tokenKey: createKey(), kept: parts.kept };
  const troubles = new Set<string>();
  let waits = backoff(parts.backoff);
  let refusedWaits = backoff(parts.refusedBackoff);
  let mustRenew = true;
  let leftMs = 0;
  while (!signal.aborted) {
    if (!mustRenew) {
      const plan = planRenewal(parts.role, leftMs, leftOf(parts));
      const rang = await waitOrRing(clock, bell, plan.waitMs, signal);
      mustRenew = rang || plan.renew || !isByFirst(holder.current());
      continue;
    }
    const at = parts.controllers.current();
    try {
      const node = await parts.describeNode();
      if (takeKept(parts, memory, node)) {
        enrolled();
        leftMs = leftOf(parts);
        mustRenew = !isByFirst(holder.current());
        continue;
      }
      const next = await getIdentity(parts, memory, node, signal);
      holder.hold(next);
      await parts.keep(next);
      parts.heard("accepted");
      parts.controllers.answered();
      const names = identityOf(next.certificate);
      log.info({ names, until: next.certificate.validTo, controller: at && renderEndpoint(at) }, "got a certificate");
      enrolled();
      leftMs = leftOf(parts);
      mustRenew = false;
      troubles.clear();
      waits = backoff(parts.backoff);
      refusedWaits = backoff(parts.refusedBackoff);
    } catch (error) {
      if (signal.aborted) break;
      const isRefusal = error instanceof RefusedEnrolmentError || error instanceof ForeignControllerError;
      if (isRefusal) parts.heard("refused");
      const controller = at && renderEndpoint(at);
      const trouble = `${controller}: ${messageOf(error)}`;
      if (!troubles.has(trouble)) log.warn({ err: error, controller }, "could not get a certificate; retrying");
      troubles.add(trouble);
      // While there is one, registration decides which address is the controller's.
      const isElsewhere = holder.current() === undefined && parts.controllers.failed();
      if (isElsewhere) continue;
      // Not to be rung at: the registration that is refused meanwhile would ring at each of its attempts.
      await pause(clock, (isRefusal ? refusedWaits : waits).next().value, signal).catch(() => undefined);
    }
  }
}

/** A certificate by the present one or by the token, whichever the controller takes. */
async function getIdentity(
  parts: EnrolmentParts,
  memory: Attempting,
  node: NodeNames,
  signal: AbortSignal,
): Promise<AgentIdentity> {
  const held = parts.holder.current();
  const { authority, token } = parts.words;
  const hasToken = authority !== undefined && token !== undefined;
  if (held !== undefined) {
    try {
      return await ask(parts, held.client, node, createKey(), undefined, signal);
    } catch (error) {
      const isFinal = error instanceof RefusedEnrolmentError || error instanceof ForeignControllerError;
      if (!isFinal || !hasToken) throw error;
      parts.log.warn({ err: error }, "the kept certificate is not renewed; using the token of this boot");
    }
  }
  if (!hasToken) throw new Failure("invalid", missing(parts));
  const at = parts.controllers.current();
  if (at === undefined) throw new Failure("invalid", "this agent knows no address of a controller");
  memory.pinned ??=
    held?.authorities.find(({ raw }) => fingerprintOf(raw) === authority) ?? (await parts.pin(at, authority, signal));
  return await ask(parts, clientTls(parts.ciphers, [memory.pinned]), node, memory.tokenKey, token, signal);
}

async function ask(
  parts: EnrolmentParts,
  tls: ClientTls,
  node: NodeNames,
  key: KeyObject,
  token: string | undefined,
  signal: AbortSignal,
): Promise<AgentIdentity> {
  const request: EnrolmentRequest = {
    ...node,
    role: parts.role,
    request: createRequest(key),
    ...(token !== undefined && { token }),
  };
  const answer = await parts.enrol(tls, request, signal);
  // Whoever gave this answer is the controller. A board without a clock learns the time before it judges anything by it.
  if (answer.controllerTimeMs !== undefined) parts.tellTime(answer.controllerTimeMs);
  const authorities = readAuthorities(answer.authorities);
  const certificate = parse(answer.certificate);
  if (authorities === undefined || certificate === undefined || !certificate.checkPrivateKey(key))
    throw new Failure("invalid", "the controller answered with a certificate that cannot be used");
  const identity = { key, certificate, authorities };
  if (!isOf(identity, node))
    throw new Failure("invalid", "the controller answered with the certificate of another node");
  return identity;
}

/** Goes by the kept identity if it is this node's; whether there is time left in it. */
function takeKept({ holder, now, log }: EnrolmentParts, memory: Attempting, node: NodeNames): boolean {
  const { kept } = memory;
  memory.kept = undefined;
  if (kept === undefined) return false;
  if (!isOf(kept, node)) {
    log.warn({ names: identityOf(kept.certificate), bootMac: node.bootMac }, "the kept certificate is another node's");
    return false;
  }
  holder.hold(kept);
  return kept.certificate.validToDate.getTime() > now();
}

function isOf({ certificate }: Pick<AgentIdentity, "certificate">, { bootMac }: NodeNames): boolean {
  const identity = identityOf(certificate);
  return identity !== undefined && nodeOf(identity) === bootMac;
}

/** Whether the current authority signed the certificate. */
function isByFirst(identity: AgentIdentity | undefined): boolean {
  const [first] = identity?.authorities ?? [];
  if (identity === undefined || first === undefined) return false;
  return identity.certificate.checkIssued(first) && identity.certificate.verify(first.publicKey);
}

/** What is left of the certificate's life, in milliseconds. */
function leftOf({ holder, now }: EnrolmentParts): number {
  const certificate = holder.current()?.certificate;
  return certificate === undefined ? 0 : certificate.validToDate.getTime() - now();
}

function missing({ words }: EnrolmentParts): string {
  if (words.authority === undefined)
    return (
      "this node was not told which controller to believe (kernel words pallet.ca and pallet.token): its controller is " +
      "older than this agent, or the card was installed before there were certificates; boot it by its controller"
    );
  return "this boot brought no token (kernel word pallet.token): boot this node by its controller";
}

function areSame(one: readonly X509Certificate[], other: readonly X509Certificate[]): boolean {
  return one.map(({ raw }) => fingerprintOf(raw)).join() === other.map(({ raw }) => fingerprintOf(raw)).join();
}

function parse(der: Uint8Array): X509Certificate | undefined {
  try {
    return new Certificate(der);
  } catch {
    return undefined;
  }
}

/** Waits; true when the bell rang before that. */
async function waitOrRing(clock: Clock, bell: Bell, ms: number, signal: AbortSignal): Promise<boolean> {
  const waited = new AbortController();
  const either = AbortSignal.any([signal, waited.signal]);
  let rang = false;
  await Promise.race([
    bell.next(either).then(() => {
      rang = !either.aborted;
    }),
    pause(clock, ms, either).catch(() => undefined),
  ]);
  waited.abort();
  return rang;
}
