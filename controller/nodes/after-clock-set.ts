import type { Node } from "./node.ts";

/**
 * The same node after the controller's clock was set `byMs` milliseconds forward (negative: back): what was noted since
 * `sinceMs` moves along, so that it is as long ago as before. What is older was noted by an earlier process, whose clock
 * this one's says nothing about. Dates of record stay.
 */
export function afterClockSet(node: Node, byMs: number, sinceMs: number): Node {
  const moved = (at: number): number => (at >= sinceMs ? at + byMs : at);
  const { lastSeenAt, agentSeenAt, bootStage, boots, installation } = node;
  if (Math.max(lastSeenAt, boots?.lastAt ?? lastSeenAt) < sinceMs) return node;
  const { localBootsSince } = installation ?? {};
  return {
    ...node,
    lastSeenAt: moved(lastSeenAt),
    ...(agentSeenAt !== undefined && { agentSeenAt: moved(agentSeenAt) }),
    ...(bootStage && { bootStage: { ...bootStage, at: moved(bootStage.at) } }),
    ...(boots && {
      boots: {
        ...boots,
        firstAt: moved(boots.firstAt),
        lastAt: moved(boots.lastAt),
        recent: boots.recent.map(moved),
        ...(boots.broken && { broken: { ...boots.broken, firstAt: moved(boots.broken.firstAt) } }),
      },
    }),
    ...(installation &&
      localBootsSince !== undefined && {
        installation: { ...installation, localBootsSince: moved(localBootsSince) },
      }),
  };
}
