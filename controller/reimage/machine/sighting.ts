import type { Node } from "../../nodes/node.ts";
import type { Sighting } from "./reimage-event.ts";

/** What a node's last registration says of the boot that it is in; undefined before the first. */
export function sightingOf({ facts, agent }: Node): Sighting | undefined {
  if (facts === undefined || agent === undefined) return undefined;
  return {
    role: agent.role,
    bootId: facts.bootId,
    instanceId: agent.instanceId,
    rootDevice: facts.root.source,
    rootDisk: facts.root.disk,
    ...(agent.installed !== undefined && { installed: agent.installed }),
  };
}
