import type { AgentIds } from "../../proto/grpc/agent-ids.ts";
import type { NodeId } from "../../proto/names/node-id.ts";
import type { Clock } from "../../proto/time/clock.ts";
import type { AgentAddress, AgentConnector } from "./agent-port.ts";

/**
 * The agent of this node that answers at an address now; undefined when none does within `patienceMs` milliseconds, for
 * whatever reason. Rejects only when the signal aborts, with its reason.
 */
export async function whoAnswers(
  { nodeId, ...at }: AgentAddress & { readonly nodeId: NodeId },
  agents: AgentConnector,
  { clock, patienceMs, signal }: { readonly clock: Clock; readonly patienceMs: number; readonly signal: AbortSignal },
): Promise<AgentIds | undefined> {
  const late = new AbortController();
  const stop = clock.setTimeout(() => late.abort(), patienceMs, signal);
  const port = agents.connect(at, { nodeId });
  try {
    const { facts, agent } = await port.getNode(AbortSignal.any([signal, late.signal]));
    return { bootId: facts.bootId, instanceId: agent.instanceId };
  } catch {
    // However it failed, nobody has said who is there.
    signal.throwIfAborted();
    return undefined;
  } finally {
    stop();
    port.close();
  }
}
