import type { NodeId } from "../../proto/names/node-id.ts";
import type { Clock } from "../../proto/time/clock.ts";
import { momentOf } from "../clock/read-clock.ts";
import type { Node } from "./node.ts";

/** Which agents are reporting. */
export interface Liveness {
  /** Whether its agent has reported within the last three heartbeats. */
  isOnline(node: Node): boolean;
  /** For how many milliseconds its agent has said nothing; undefined if it never did, or is booting. */
  silentForMs(id: NodeId): number | undefined;
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

/**
 * Counts silence by the monotonic clock: nobody falls silent because a clock was set.
 *
 * @param nodes as they were when the controller stopped: those heard from a moment ago still count as online
 */
export function createLiveness(
  nodes: readonly Node[],
  { clock, monotonic }: { readonly clock: Pick<Clock, "now">; readonly monotonic: Pick<Clock, "now"> },
  heartbeatIntervalMs: number,
): Liveness {
  const silentAfterMs = missedHeartbeats * heartbeatIntervalMs;
  const heardAt = new Map<NodeId, number>();
  const silentForMs = (id: NodeId): number | undefined => {
    const at = heardAt.get(id);
    return at === undefined ? undefined : monotonic.now() - at;
  };
  const isOnline = ({ id, agentSeenAt }: Node): boolean =>
    agentSeenAt !== undefined && (silentForMs(id) ?? Number.POSITIVE_INFINITY) <= silentAfterMs;
  for (const { id, agentSeenAt } of nodes) {
    if (agentSeenAt !== undefined) heardAt.set(id, momentOf(agentSeenAt, clock, monotonic));
  }
  const expected = new Set(nodes.filter(isOnline).map((node) => node.id));
  const silent = new Set<NodeId>();
  return {
    isOnline,
    silentForMs,
    heard(id) {
      heardAt.set(id, monotonic.now());
      expected.add(id);
      return silent.delete(id);
    },
    notExpected(id) {
      heardAt.delete(id);
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
