import type { NodeId } from "../../proto/names/node-id.ts";
import type { Clock } from "../../proto/time/clock.ts";
import type { Node } from "./node.ts";

/** Which agents are reporting. */
export interface Liveness {
  /** Whether its agent has reported within the last three heartbeats. */
  isOnline(node: Node): boolean;
  /** Its agent has reported. Returns whether it had been declared silent. */
  heard(id: NodeId): boolean;
  /** Its agent is not expected to report: the node is booting, or forgotten. */
  notExpected(id: NodeId): void;
  /** Nodes that have gone silent since this was last asked, each once. */
  newlySilent(get: (id: NodeId) => Node | undefined): Node[];
  /** How long an agent may say nothing. */
  readonly silentAfterMs: number;
}

/** After how many missed heartbeats a node counts as silent. */
const missedHeartbeats = 3;

/** @param nodes as they were when the controller stopped: those heard from a moment ago still count as online */
export function createLiveness(
  nodes: readonly Node[],
  clock: Pick<Clock, "now">,
  heartbeatIntervalMs: number,
): Liveness {
  const silentAfterMs = missedHeartbeats * heartbeatIntervalMs;
  // A sign of life from the future was noted before the clock was set back: how old it is cannot be known.
  const isOnline = (node: Node): boolean =>
    node.agentSeenAt !== undefined && Math.abs(clock.now() - node.agentSeenAt) <= silentAfterMs;
  const expected = new Set(nodes.filter(isOnline).map((node) => node.id));
  const silent = new Set<NodeId>();
  return {
    isOnline,
    heard(id) {
      expected.add(id);
      return silent.delete(id);
    },
    notExpected(id) {
      expected.delete(id);
      silent.delete(id);
    },
    newlySilent(get) {
      const gone = [...expected].flatMap((id) => get(id) ?? []).filter((node) => !isOnline(node));
      for (const { id } of gone) {
        expected.delete(id);
        silent.add(id);
      }
      return gone;
    },
    silentAfterMs,
  };
}
