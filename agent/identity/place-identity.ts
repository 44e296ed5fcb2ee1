import { X509Certificate } from "node:crypto";
import { Failure } from "../../proto/failure.ts";
import { createKey, createRequest } from "../../proto/identity/certificate-request.ts";
import { readAuthorities, renderAgentIdentity } from "../../proto/system/agent-identity.ts";
import { backoff } from "../../proto/time/backoff.ts";
import type { Clock } from "../../proto/time/clock.ts";
import { pause } from "../../proto/time/pause.ts";
import type { Enrolled } from "./enroller.ts";
import type { ClientTls, IdentityHolder } from "./held-identity.ts";

/** How long a card that is written waits for the controller, in milliseconds. */
const patienceMs = 30_000;

/**
 * The identity of the resident agent that is placed into a new system, as its file has it. Undefined, with a warning,
 * when the controller gives none in half a minute: the card is not to be erased for that, and the resident agent gets one
 * by the token of its first boot. Rejects with the signal's reason.
 */
export async function placeIdentity(
  parts: {
    readonly holder: Pick<IdentityHolder, "current">;
    readonly enrol: (tls: ClientTls, request: Uint8Array, signal: AbortSignal) => Promise<Enrolled>;
    readonly clock: Clock;
    readonly log: { warn(details: object, message: string): void };
  },
  signal: AbortSignal,
): Promise<string | undefined> {
  const { clock } = parts;
  const key = createKey();
  const request = createRequest(key);
  const until = clock.now() + patienceMs;
  for (const waitMs of backoff({ firstMs: 500, capMs: 5_000 })) {
    try {
      const tls = parts.holder.current()?.client;
      if (tls === undefined) throw new Failure("invalid", "this agent has no certificate");
      const answer = await parts.enrol(tls, request, signal);
      const authorities = readAuthorities(answer.authorities);
      if (authorities === undefined) throw new Failure("invalid", "the controller answered without authorities");
      return renderAgentIdentity({ key, certificate: new X509Certificate(answer.certificate), authorities });
    } catch (error) {
      signal.throwIfAborted();
      if (clock.now() + waitMs > until) {
        parts.log.warn(
          { err: error },
          "the new system's agent gets no certificate now; its first boot's token will do",
        );
        return undefined;
      }
    }
    await pause(clock, waitMs, signal);
  }
  return undefined;
}
