import type { NodeId } from "../../proto/names/node-id.ts";
import type { AgentInfo } from "../../proto/node/agent-info.ts";
import { hasMac } from "../../proto/node/has-mac.ts";
import type { NodeFacts } from "../../proto/node/node-facts.ts";
import { invalid } from "../refusal/refusal.ts";
import type { Node } from "./node.ts";

/** What an agent reports about itself and its node. */
export interface Registration {
  readonly id: NodeId;
  readonly facts: NodeFacts;
  readonly agent: AgentInfo;
  /** What it says of itself and cannot be true, for a person: left out of the facts. Absent when there is none. */
  readonly doubted?: readonly string[];
  /** IP address that it came from; absent when it did not come over IP. */
  readonly address?: string;
}

/** An agent's heartbeat. */
export interface Heartbeat {
  readonly id: NodeId;
  readonly instanceId: string;
  readonly temperatureCelsius?: number;
  readonly address?: string;
}

/**
 * Throws a Failure if the MAC address is not one of the node's own: its facts would be kept under another node's name.
 */
export function assertOwnMac(id: NodeId, facts: NodeFacts): void {
  if (facts.interfaces.some((each) => hasMac(each, id))) return;
  const macs = facts.interfaces.flatMap(({ mac, currentMac }) => [mac, ...(currentMac ? [currentMac] : [])]);
  const own = [...new Set(macs)].join(", ") || "none";
  throw invalid(
    `${id} cannot register: that MAC address is not one of this node's own (${own}); ` +
      'check "pallet.node=" on its kernel command line',
  );
}

/** What the node runs, and from where, for a person. */
export function describeAgent(node: Node): string {
  const { agent, facts } = node;
  if (agent === undefined || facts === undefined) return "no agent";
  const root = `root on ${facts.root.source} (${facts.root.filesystemType})`;
  if (agent.role === "netboot") return `netbooted agent, ${root}`;
  return `running ${agent.installed?.imageName ?? "a system that Pallet did not install"}, ${root}`;
}
