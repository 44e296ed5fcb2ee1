import type { Endpoint } from "../../proto/names/endpoint.ts";
import type { NodeId } from "../../proto/names/node-id.ts";
import type { ControllerMoved } from "../../proto/node/controller-moved.ts";
import type { Clock } from "../../proto/time/clock.ts";
import { pause } from "../../proto/time/pause.ts";
import type { Node } from "../nodes/node.ts";
import type { NodeRegistry } from "../nodes/node-registry.ts";
import { isSilence } from "./agent-error.ts";
import type { AgentAddress, AgentConnector } from "./agent-port.ts";
import { withAgentOf } from "./reach-agent.ts";

/** Tells one run of an agent where its controller lives now; nobody answers. controller/rpc/agent/announcer.ts. */
export type Announce = (to: AgentAddress, moved: ControllerMoved) => void;

export interface SeekAgentsOptions {
  readonly nodes: Pick<NodeRegistry, "list" | "get" | "onChange" | "register">;
  readonly agents: AgentConnector;
  readonly announce: Announce;
  /** Where agents reach this controller. */
  readonly controllers: () => readonly Endpoint[];
  /** Whether a rollout waits for the node. */
  readonly isAwaited: (id: NodeId) => boolean;
  readonly heartbeatIntervalMs: number;
  readonly clock: Clock;
  readonly log: { warn(details: object, message: string): void };
}

/** How many agents are sought at once. */
const atOnce = 16;
/** How long an agent may take to answer, and how long it has to take in where the controller is, in milliseconds. */
const answerMs = 2_000;
const takeInMs = 200;
/** Rounds become rarer up to this, in milliseconds. */
const mostPauseMs = 5 * 60_000;
/** After so many rounds only nodes that a rollout waits for are sought: what has not answered by then is off, or gone. */
const roundsForAll = 6;

/**
 * Seeks the agents that this controller knew before it started and that have not reported since: it may have come back
 * under another address, to which none of them registers. Each is told where the controller lives now, and asked at its
 * last known address, as exactly the run that is known there; its answer counts like a registration. First those for
 * which a rollout waits, then, after the time in which agents report by themselves, all. Returns a function that ends it.
 */
export function seekAgents(options: SeekAgentsOptions): () => void {
  const { nodes, isAwaited, heartbeatIntervalMs, clock, log } = options;
  const stopped = new AbortController();
  const unheard = new Set(nodes.list().flatMap((node) => (isReachable(node) ? [node.id] : [])));
  /** Those whose answers are being taken as registrations: that is not their own report. */
  const adopting = new Set<NodeId>();
  const stopListening = nodes.onChange(({ node, cause }) => {
    if ((cause === "registered" || cause === "heartbeat") && !adopting.has(node.id)) unheard.delete(node.id);
    if (cause === "forgotten") unheard.delete(node.id);
  });

  async function seekAll(): Promise<void> {
    const firstMs = heartbeatIntervalMs * 1.5;
    for (let round = 0; unheard.size > 0; round += 1) {
      const sought = [...unheard].filter((id) => isAwaited(id) || (round > 0 && round <= roundsForAll));
      await Promise.all(Array.from({ length: atOnce }, () => seekOf(sought)));
      await pause(clock, Math.min(mostPauseMs, firstMs * 2 ** round), stopped.signal);
    }
  }

  /** One of those that share the list, each taking the next. */
  async function seekOf(sought: NodeId[]): Promise<void> {
    for (let id = sought.shift(); id !== undefined; id = sought.shift()) {
      const node = nodes.get(id);
      if (node === undefined || !isReachable(node) || !unheard.has(id)) continue;
      await seek(node, options, stopped.signal, adopting).catch((error: unknown) => {
        stopped.signal.throwIfAborted();
        if (!isSilence(error)) log.warn({ err: error, node: node.name }, "could not take up an agent that was known");
      });
    }
  }

  seekAll().catch((error: unknown) => {
    if (!stopped.signal.aborted) log.warn({ err: error }, "stopped seeking the agents that were known");
  });
  return () => {
    stopped.abort();
    stopListening();
  };
}

type Reachable = Node & Required<Pick<Node, "agent" | "facts" | "address">>;

function isReachable(node: Node): node is Reachable {
  return node.agent !== undefined && node.facts !== undefined && node.address !== undefined;
}

async function seek(
  node: Reachable,
  { nodes, agents, announce, controllers, clock }: SeekAgentsOptions,
  signal: AbortSignal,
  adopting: Set<NodeId>,
): Promise<void> {
  const { id, address } = node;
  const ids = { bootId: node.facts.bootId, instanceId: node.agent.instanceId };
  announce({ address, port: node.agent.port }, { ids, controllers: controllers() });
  await pause(clock, takeInMs, signal);
  const late = new AbortController();
  const stop = clock.setTimeout(() => late.abort(), answerMs, signal);
  try {
    await withAgentOf(
      node,
      agents,
      async (_port, { facts, agent }) => {
        // Meanwhile another run may have registered.
        if (nodes.get(id)?.agent?.instanceId !== ids.instanceId) return;
        adopting.add(id);
        try {
          nodes.register({ id, facts, agent, address });
        } finally {
          adopting.delete(id);
        }
      },
      { expected: ids, signal: AbortSignal.any([signal, late.signal]) },
    );
  } catch (error) {
    if (!late.signal.aborted) throw error;
  } finally {
    stop();
  }
}
