import type { AgentIds } from "../../proto/grpc/agent-ids.ts";
import type { AgentInfo } from "../../proto/node/agent-info.ts";
import type { Clock } from "../../proto/time/clock.ts";
import { isExpectedAgent } from "./agent-instance.ts";
import type { AgentConnector } from "./agent-port.ts";

/**
 * Whether this run of an agent on this boot answers at its address. False for silence, for errors and when another one
 * answers, within `patienceMs` milliseconds. Rejects only when the signal aborts, with its reason.
 */
export async function answersAs(
  at: { readonly address: string; readonly agent: Pick<AgentInfo, "port"> },
  ids: AgentIds,
  agents: AgentConnector,
  { clock, patienceMs, signal }: { readonly clock: Clock; readonly patienceMs: number; readonly signal: AbortSignal },
): Promise<boolean> {
  const late = new AbortController();
  const stop = clock.setTimeout(() => late.abort(), patienceMs, signal);
  const port = agents.connect({ address: at.address, port: at.agent.port }, ids);
  try {
    return isExpectedAgent(await port.getNode(AbortSignal.any([signal, late.signal])), ids);
  } catch {
    // However it failed, that run has not said that it is there.
    signal.throwIfAborted();
    return false;
  } finally {
    stop();
    port.close();
  }
}
