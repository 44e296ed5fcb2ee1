import { Failure } from "../../proto/failure.ts";
import type { Node } from "../nodes/node.ts";
import { AgentError } from "./agent-error.ts";
import { type ExpectedAgent, isExpectedAgent } from "./agent-instance.ts";
import type { AgentConnector, AgentPort, AgentReport } from "./agent-port.ts";

/**
 * What one must know of a node to reach its agent; all but id and name are absent before the agent's first registration.
 */
export type ReachableNode = Pick<Node, "id" | "name" | "address" | "facts" | "agent">;

/** A connection to the intended agent, and what that agent reported about itself. */
export interface ReachedAgent {
  readonly port: AgentPort;
  readonly report: AgentReport;
}

export interface ReachOptions {
  /** The intended agent; default: the instance that registered last. */
  readonly expected?: ExpectedAgent;
  readonly signal?: AbortSignal | undefined;
}

/** Lends a connection to the node's agent to `use` and closes it afterwards. Rejects like `reachAgentOf`. */
export async function withAgentOf<T>(
  node: ReachableNode,
  agents: AgentConnector,
  use: (agent: AgentPort, report: AgentReport) => Promise<T>,
  options: ReachOptions = {},
): Promise<T> {
  const { port, report } = await reachAgentOf(node, agents, options);
  try {
    return await use(port, report);
  } finally {
    port.close();
  }
}

/**
 * A connection to the node's agent, which the caller closes. It is certain to be the intended agent: DHCP may have
 * given the address to another machine by now, whose disks are not ours to touch. Rejects with AgentError:
 * "unreachable" when no agent has registered, nobody answers, or another agent does.
 */
export async function reachAgentOf(
  { id: nodeId, name, address, facts, agent }: ReachableNode,
  agents: AgentConnector,
  { expected, signal }: ReachOptions = {},
): Promise<ReachedAgent> {
  if (agent === undefined || facts === undefined || address === undefined) {
    throw unreachable(
      `no agent on ${name} has registered yet; power it on with boot target agent and wait until it is online`,
    );
  }
  const meant = expected ?? { bootId: facts.bootId, instanceId: agent.instanceId };
  const { bootId, instanceId } = meant;
  const port = agents.connect(
    { address, port: agent.port },
    { nodeId, bootId, ...(instanceId !== undefined && { instanceId }) },
  );
  try {
    const report = await port.getNode(signal);
    if (isExpectedAgent(report, meant)) return { port, report };
    throw unreachable(
      `the agent at ${address} is not the one that registered as ${name}: that agent or its node has restarted, or ` +
        `another machine now has that address; wait until ${name} is online`,
    );
  } catch (error) {
    port.close();
    throw error;
  }
}

function unreachable(message: string): AgentError {
  return new AgentError("unreachable", new Failure("node-silent", message), undefined);
}
