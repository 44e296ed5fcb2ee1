import { areSameAgent } from "../../proto/grpc/agent-ids.ts";
import type { NodeId } from "../../proto/names/node-id.ts";
import type { Clock } from "../../proto/time/clock.ts";
import { actForItself } from "../callers/author.ts";
import type { NewEvent } from "../events/event.ts";
import type { Node } from "../nodes/node.ts";
import type { NodeRegistry } from "../nodes/node-registry.ts";
import type { Registration } from "../nodes/registration.ts";
import { Refusal } from "../refusal/refusal.ts";
import type { AgentConnector } from "./agent-port.ts";
import { whoAnswers } from "./who-answers.ts";

/** Decides whose registrations count. */
export interface Admission {
  /**
   * Registers an agent, unless another one that is known by the same MAC address is still there: then two boards, or a
   * clone, have it, and the record stays with the one that has it. Throws a Refusal (precondition) then, and what
   * NodeRegistry.register throws.
   */
  register(registration: Registration, signal: AbortSignal): Promise<Node>;
}

/** How long the known agent may take to answer, in milliseconds. Its successor waits that long, if it has vanished. */
const patienceMs = 2_000;
/** After how long without another claim a MAC address counts as claimed once; agents try again every 5 s at most. */
const quietMs = 60_000;
/** How long a board that is disputed may be away, to reboot, before the other takes its place, in milliseconds. */
const awayMs = 10 * 60_000;

/** A MAC address that two boards, or two agents, claim. */
interface Dispute {
  /** When the one that has the record was last there. */
  readonly ownerSeenAt: number;
  /** Stops waiting for its end. */
  readonly stopWaiting: () => void;
}

/** Builds the admission over the registry. Timers end with `closed`. */
export function createAdmission(options: {
  readonly nodes: Pick<NodeRegistry, "get" | "register" | "isOnline">;
  readonly agents: AgentConnector;
  readonly events: { append(event: NewEvent): unknown };
  readonly clock: Clock;
  readonly closed: AbortSignal;
}): Admission {
  const { nodes, agents, events, clock, closed } = options;
  const disputed = new Map<NodeId, Dispute>();

  function tell(node: Node, type: NewEvent["type"], severity: NewEvent["severity"], message: string): void {
    events.append({ type, severity, nodeId: node.id, nodeName: node.name, message });
  }

  function noteClaim(owner: Node, claim: Registration, ownerSeenAt: number): void {
    const before = disputed.get(owner.id);
    before?.stopWaiting();
    if (before === undefined) tell(owner, "mac-claimed-twice", "error", describeClaim(owner, claim));
    const end = (): void => {
      disputed.delete(owner.id);
      const node = nodes.get(owner.id);
      if (node === undefined) return;
      const message = `nobody but ${node.name} has claimed the MAC address ${node.id} for ${quietMs / 1000} s`;
      actForItself(() => tell(node, "mac-claim-ended", "info", message));
    };
    disputed.set(owner.id, { ownerSeenAt, stopWaiting: clock.setTimeout(end, quietMs, closed) });
  }

  return {
    async register(claim, signal) {
      const known = nodes.get(claim.id);
      if (known !== undefined && isAnothers(known, claim)) {
        const { facts, agent, address } = known;
        const ids = { bootId: facts.bootId, instanceId: agent.instanceId };
        const found = await whoAnswers({ nodeId: known.id, address, port: agent.port }, agents, {
          clock,
          patienceMs,
          signal,
        });
        const now = nodes.get(claim.id);
        // Meanwhile it may have registered itself, or another may have.
        if (now?.agent?.instanceId === ids.instanceId) {
          if (found !== undefined && areSameAgent(found, ids)) {
            noteClaim(known, claim, clock.now());
            throw refusal(describeClaim(known, claim));
          }
          const dispute = disputed.get(claim.id);
          const isOtherBoard = claim.facts.serial !== facts.serial;
          if (dispute !== undefined && isOtherBoard && clock.now() - dispute.ownerSeenAt < awayMs) {
            noteClaim(known, claim, dispute.ownerSeenAt);
            throw refusal(describeClaim(known, claim));
          }
          // Over a network that is full a running agent may not answer in time, and goes on reporting all the same.
          if (found === undefined && claim.address !== address && nodes.isOnline(now)) throw refusal(describeWait(now));
        }
      }
      return nodes.register(claim);
    },
  };
}

/** Whether the node is known by another run of an agent than the one that registers. */
function isAnothers(
  known: Node,
  claim: Registration,
): known is Node & Required<Pick<Node, "agent" | "facts" | "address">> {
  const { agent, facts, address } = known;
  if (agent === undefined || facts === undefined || address === undefined) return false;
  return agent.instanceId !== claim.agent.instanceId;
}

function refusal(message: string): Refusal {
  return new Refusal("precondition", message, { reason: "other-agent" });
}

/** The node may have rebooted under another address: then its former agent falls silent. */
function describeWait({ id, name, address }: Node): string {
  return `the agent of ${name} (${id}) at ${address} was heard a moment ago and does not answer now: try again, until it is silent`;
}

/** Two boards with one MAC address, or two agents on one board. */
function describeClaim({ id, name, address, facts }: Node, claim: Registration): string {
  const from = claim.address === undefined ? "" : ` at ${claim.address}`;
  if (facts?.bootId === claim.facts.bootId)
    return `a second agent${from} on the same boot claims to be ${name} (${id}), whose agent answers at ${address}: stop one of them`;
  const serials = `serial numbers ${facts?.serial || "(none)"} and ${claim.facts.serial || "(none)"}`;
  return (
    `a second board${from} claims the MAC address of ${name} (${id}), whose agent answers at ${address} (${serials}): ` +
    "two boards, or a clone, have this MAC address; nothing of the second is believed while the first is there: take one off the network, or give it a MAC address of its own"
  );
}
