import type { X509Certificate } from "node:crypto";
import { nodeOf } from "../../proto/identity/identity.ts";
import { judgePeer, type keyUses, type PeerVerdict } from "../../proto/identity/judge-peer.ts";
import type { Clock } from "../../proto/time/clock.ts";
import type { Authority } from "./authority.ts";

/** Says what the certificate proves that the other end of a connection has shown, and has proved to hold the key of. */
export type PeerJudge = (certificate: X509Certificate | undefined, use: keyof typeof keyUses) => PeerVerdict;

/**
 * The one judge of certificates for this controller: `judgePeer` by its authorities and the time. That is the clock's for
 * operators; for agents it is `grace`, so that a clock that was set ahead cuts none off in the middle of its work. Nothing
 * but the time is judged otherwise for it.
 *
 * @param grace the time for what was issued before the clock was set ahead: never later than the clock's; default: that
 */
export function createPeerJudge({
  authority,
  clock,
  grace = clock,
}: {
  readonly authority: Pick<Authority, "trusted">;
  readonly clock: Pick<Clock, "now">;
  readonly grace?: Pick<Clock, "now">;
}): PeerJudge {
  return (certificate, use) => {
    const authorities = authority.trusted();
    const verdict = judgePeer(certificate, authorities, clock.now(), use);
    const isAgents = verdict.kind === "expired" && nodeOf(verdict.identity) !== undefined;
    return isAgents ? judgePeer(certificate, authorities, grace.now(), use) : verdict;
  };
}
