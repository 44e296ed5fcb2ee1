import { describeIdentity, nodeOf } from "../../../proto/identity/identity.ts";
import type { PeerVerdict } from "../../../proto/identity/judge-peer.ts";
import type { MeantAgent } from "../../agents/agent-port.ts";

/**
 * Why what listens at an agent's address is not the agent that is meant, by the certificate that it shows; in words that
 * follow "what listens there". Undefined if it is, as far as a certificate says that: for a resident agent, which keeps
 * its own over boots, not which boot it is.
 */
export function whyNotMeant(verdict: PeerVerdict, { nodeId, bootId }: MeantAgent): string | undefined {
  switch (verdict.kind) {
    case "nobody":
      return "shows no certificate";
    case "stranger":
      return `shows a certificate that ${verdict.why}: it is no agent of this controller`;
    case "expired":
    case "known": {
      const { identity } = verdict;
      const isMeant =
        nodeOf(identity) !== undefined &&
        nodeOf(identity) === (nodeId ?? nodeOf(identity)) &&
        (identity.kind !== "netboot" || identity.bootId === (bootId ?? identity.bootId));
      if (!isMeant) return `is ${describeIdentity(identity)}, by its certificate`;
      return verdict.kind === "known"
        ? undefined
        : `shows a certificate that expired ${new Date(verdict.expiresAt).toISOString()}: its agent renews it when it reaches this controller`;
    }
  }
}
