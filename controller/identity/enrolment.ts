import { parseRequest } from "../../proto/identity/certificate-request.ts";
import { describeIdentity, type Identity, renderIdentity } from "../../proto/identity/identity.ts";
import type { PeerVerdict } from "../../proto/identity/judge-peer.ts";
import { limits } from "../../proto/limits.ts";
import type { NodeId } from "../../proto/names/node-id.ts";
import type { Clock } from "../../proto/time/clock.ts";
import type { EventLog } from "../events/event-log.ts";
import { denied, invalid, isUnavailable, unproved } from "../refusal/refusal.ts";
import type { Authority, Issued } from "./authority.ts";
import type { IdentityRows, NodeCertificate } from "./identity-rows.ts";
import type { Tokens } from "./tokens.ts";

/** The identity of a node's agent. */
export type AgentIdentity = Extract<Identity, { kind: "netboot" | "resident" }>;

/** A request for an agent's own certificate. */
export interface EnrolmentRequest {
  readonly identity: AgentIdentity;
  /** PKCS #10, DER. */
  readonly csr: Uint8Array;
  /** From the boot config; absent for a renewal. */
  readonly token?: string;
  /** Serial number of the board as the agent reports it; may be empty. */
  readonly serial: string;
  /** IP address that the request came from. */
  readonly address?: string;
}

/** How agents get their certificates. */
export interface Enrolment {
  /**
   * The agent's own certificate. Throws a Failure "invalid" for a malformed request, and a Refusal, which is an event
   * too, when neither its token nor the certificate that it presents entitles it.
   */
  enroll(request: EnrolmentRequest, peer: PeerVerdict): Issued;
  /** The certificate of the resident agent that a netboot agent installs. Throws likewise. */
  enrollResident(csr: Uint8Array, peer: PeerVerdict): Issued;
  /** The last certificate of each agent, those that have expired left out. */
  certificates(): readonly NodeCertificate[];
}

export function createEnrolment({
  authority,
  tokens,
  rows,
  events,
  clock,
  nameOf,
}: {
  readonly authority: Pick<Authority, "issue">;
  readonly tokens: Pick<Tokens, "use">;
  readonly rows: Pick<IdentityRows, "nodeCertificates" | "saveNodeCertificate">;
  readonly events: Pick<EventLog, "append">;
  readonly clock: Pick<Clock, "now">;
  /** A known node's name. */
  readonly nameOf: (nodeId: NodeId) => string | undefined;
}): Enrolment {
  const issue = (csr: Uint8Array, identity: AgentIdentity): Issued => {
    const issued = authority.issue(csr, identity);
    const { kind: role, nodeId } = identity;
    const { expiresAt, authority: signer } = issued;
    try {
      rows.saveNodeCertificate({ nodeId, role, authority: signer, expiresAt }, limits.enrolment.nodeCertificates.most);
    } catch (error) {
      // A full disk must not keep a rack from booting; the note only says who needs a former authority.
      if (!isUnavailable(error)) throw error;
    }
    return issued;
  };
  const tellRefusal = ({ identity, address, serial }: EnrolmentRequest, why: string): void => {
    const { nodeId } = identity;
    const name = nameOf(nodeId);
    const from = address === undefined ? "" : ` from ${address}`;
    const board = serial === "" ? "" : `, serial ${serial}`;
    events.append({
      ...{ type: "enrollment-refused", severity: "warning" },
      ...(name !== undefined && { nodeId, nodeName: name }),
      message: `${name ?? nodeId}: enrolment${from} as ${describeIdentity(identity)}${board} refused: ${why}`,
    });
  };

  return {
    enroll(request, peer) {
      const { identity, csr, token } = request;
      const parsed = parseRequest(csr);
      // Before the token: a malformed request must not use it up.
      if ("problem" in parsed) throw invalid(`csr_der: the certificate request is refused: ${parsed.problem}`);
      if (token !== undefined) {
        const problem = tokens.use(token, identity.nodeId, parsed.publicKey);
        if (problem === undefined) return issue(csr, identity);
        tellRefusal(request, `its token ${problem}`);
        throw denied(`the token ${problem}; the node's next boot from the network brings a new one`, {
          reason: "token-refused",
        });
      }
      const problem = problemOfRenewal(identity, peer);
      if (problem === undefined) return issue(csr, identity);
      tellRefusal(request, problem);
      throw unproved(`without a token this is a renewal, and ${problem}`);
    },

    enrollResident(csr, peer) {
      if (peer.kind !== "known" || peer.identity.kind !== "netboot") {
        throw denied("only the agent of a netbooted node gets a certificate for the system that it installs");
      }
      return issue(csr, { kind: "resident", nodeId: peer.identity.nodeId });
    },

    certificates: () => rows.nodeCertificates().filter(({ expiresAt }) => expiresAt > clock.now()),
  };
}

/** Why the certificate that somebody presents does not entitle him to one for this identity; undefined if it does. */
function problemOfRenewal(identity: AgentIdentity, peer: PeerVerdict): string | undefined {
  switch (peer.kind) {
    case "nobody":
      return "no certificate was presented";
    case "stranger":
      return `the certificate that was presented ${peer.why}`;
    case "known":
    case "expired":
      if (renderIdentity(peer.identity) === renderIdentity(identity)) return undefined;
      return `the certificate that was presented is that of ${describeIdentity(peer.identity)}`;
  }
}
