import type { AgentRole } from "../../proto/system/agent-program.ts";
import type { ClientTls } from "./held-identity.ts";

/** What an agent asks for a certificate with. */
export interface EnrolmentRequest {
  /** The one-time token of this boot; absent where the agent's present certificate speaks for it. */
  readonly token?: string;
  /** PKCS #10 (DER). */
  readonly request: Uint8Array;
  readonly bootMac: string;
  readonly serial: string;
  readonly bootId: string;
  readonly role: AgentRole;
}

/** The controller's answer. */
export interface Enrolled {
  /** DER. */
  readonly certificate: Uint8Array;
  /** DER, the current one first. */
  readonly authorities: readonly Uint8Array[];
  /** The controller's time, in milliseconds since the epoch; undefined when it does not say. */
  readonly controllerTimeMs: number | undefined;
}

/**
 * Asks the controller at its current address for a certificate. Rejects with a RefusedEnrolmentError, a
 * ForeignControllerError, or whatever kept the call from being answered.
 */
export type Enrol = (tls: ClientTls, request: EnrolmentRequest, signal: AbortSignal) => Promise<Enrolled>;

/** The controller answered, and does not give a certificate: its words are the message. */
export class RefusedEnrolmentError extends Error {
  override readonly name = "RefusedEnrolmentError";
}
