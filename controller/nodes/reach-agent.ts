import { unavailable } from "../refusal.ts";
import type { AgentConnector, AgentPort } from "../reimage/ports.ts";
import type { Node } from "./node.ts";

/** Lends a connection to the node's agent to `use` and takes it back. Throws a Refusal when the node has none to reach. */
export async function withAgentOf<T>(
  node: Node,
  agents: AgentConnector,
  use: (agent: AgentPort) => Promise<T>,
): Promise<T> {
  const agent = connectToAgentOf(node, agents);
  try {
    return await use(agent);
  } finally {
    agent.close();
  }
}

/** A connection to the node's agent, which the caller closes. Throws a Refusal when the node has none to reach. */
export function connectToAgentOf(node: Node, agents: AgentConnector): AgentPort {
  if (node.agent === undefined || node.address === undefined) {
    throw unavailable(
      `no agent has registered from ${node.name} yet; power it on with boot target agent and wait until it is online`,
    );
  }
  return agents.connect({ address: node.address, port: node.agent.port });
}
