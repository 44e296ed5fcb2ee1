import { unavailable } from "../refusal.ts";
import type { AgentConnector, AgentPort } from "../reimage/ports.ts";
import type { Node } from "./node.ts";

/** Lends a connection to the node's agent to `use` and takes it back. Throws as `reachAgentOf`. */
export async function withAgentOf<T>(
  node: Node,
  agents: AgentConnector,
  use: (agent: AgentPort) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const agent = await reachAgentOf(node, agents, signal);
  try {
    return await use(agent);
  } finally {
    agent.close();
  }
}

/**
 * A connection to the node's agent, which the caller closes. What answers is in the boot that registered: DHCP may have
 * given the address to another machine by now, and its disks are none of ours. Throws a Refusal when the node has no
 * agent to reach or another one answers, AgentError when nobody does.
 */
export async function reachAgentOf(node: Node, agents: AgentConnector, signal?: AbortSignal): Promise<AgentPort> {
  const { address, facts } = node;
  if (node.agent === undefined || facts === undefined || address === undefined) {
    throw unavailable(
      `no agent has registered from ${node.name} yet; power it on with boot target agent and wait until it is online`,
    );
  }
  const agent = agents.connect({ address, port: node.agent.port });
  try {
    const answering = await agent.getNode(signal);
    if (answering.facts.bootId === facts.bootId) return agent;
    throw unavailable(
      `what answers at ${address} is not the agent that registered as ${node.name}: that one has rebooted, or another ` +
        `machine has its address by now; wait until ${node.name} is online`,
    );
  } catch (error) {
    agent.close();
    throw error;
  }
}
