import { describeIdentity } from "../../../proto/identity/identity.ts";
import type { PeerVerdict } from "../../../proto/identity/judge-peer.ts";
import type { NodeId } from "../../../proto/names/node-id.ts";
import type { AgentRole } from "../../../proto/system/agent-program.ts";
import { denied } from "../../refusal/refusal.ts";

/** Whom an agent says that it speaks for. */
export interface Claim {
  readonly nodeId: NodeId;
  /** Absent where the call does not say it. */
  readonly bootId?: string;
  readonly role?: AgentRole;
}

/**
 * Throws a Refusal when an agent's certificate is not that of the node for which it speaks: it speaks for its own alone,
 * and one that was netbooted for its own boot alone. Who has none was let in for another reason (the socket, or no TLS).
 */
export function assertOwnNode(peer: PeerVerdict, { nodeId, bootId, role }: Claim): void {
  if (peer.kind !== "known") return;
  const { identity } = peer;
  const isOwn =
    (identity.kind === "netboot" || identity.kind === "resident") &&
    identity.nodeId === nodeId &&
    identity.kind === (role ?? identity.kind) &&
    (identity.kind === "resident" || identity.bootId === (bootId ?? identity.bootId));
  if (isOwn) return;
  const claim = [`node ${nodeId}`, role && `role ${role}`, bootId && `boot ${bootId}`].filter(Boolean).join(", ");
  throw denied(`${describeIdentity(identity)} does not speak for ${claim}`);
}
