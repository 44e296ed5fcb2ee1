import { describeIdentity } from "../../proto/identity/identity.ts";
import type { PeerVerdict } from "../../proto/identity/judge-peer.ts";

/**
 * Why somebody with this certificate gets no packs; undefined for whom they are: agents that nodes netbooted, which write
 * them, and operators. A resident agent writes nothing.
 *
 * @param isOperator whether the certificate with this fingerprint is that operator's, and counts
 */
export function whyNoPacks(
  peer: PeerVerdict,
  isOperator: (name: string, fingerprint: string) => boolean,
): string | undefined {
  switch (peer.kind) {
    case "nobody":
      return "packs are for nodes of this controller and its operators, who show a certificate";
    case "stranger":
      return `the certificate that was presented ${peer.why}`;
    case "expired":
      return `the certificate of ${describeIdentity(peer.identity)} expired at ${new Date(peer.expiresAt).toISOString()}`;
    case "known": {
      const { identity, fingerprint } = peer;
      if (identity.kind === "netboot") return undefined;
      if (identity.kind === "operator" && isOperator(identity.name, fingerprint)) return undefined;
      return `packs are not for ${describeIdentity(identity)}`;
    }
  }
}
