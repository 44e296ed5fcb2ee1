import type { Node } from "../../nodes/node.ts";
import type { NodeChange } from "../../nodes/node-change.ts";
import type { Occurrence, Sighting } from "./reimage-event.ts";

/** What a node's last registration says of the boot that it is in; undefined before the first. */
export function sightingOf({ facts, agent }: Node): Sighting | undefined {
  if (facts === undefined || agent === undefined) return undefined;
  return {
    role: agent.role,
    bootId: facts.bootId,
    instanceId: agent.instanceId,
    ...(facts.serial && { serial: facts.serial }),
    rootDevice: facts.root.source,
    rootDisk: facts.root.disk,
    ...(agent.installed !== undefined && { installed: agent.installed }),
    ...(agent.tasks !== undefined && { tasks: agent.tasks }),
  };
}

/** What a change of a node means to its reimage; undefined when nothing. */
export function occurrenceOf({ node, cause }: NodeChange): Occurrence | undefined {
  switch (cause) {
    case "registered":
    case "heartbeat": {
      const sighting = sightingOf(node);
      return sighting && { type: "agent-sighted", ...sighting };
    }
    case "boot-file-fetched": {
      const firstBoot = node.installation?.firstBoot;
      const known = firstBoot === "half-done" || firstBoot === "done" ? { firstBoot } : {};
      return node.bootStage && { type: "boot-file-fetched", ...node.bootStage, ...known };
    }
    case "address-leased":
      return { type: "address-leased", at: node.lastSeenAt };
    // Always with a heartbeat.
    case "came-back":
    // A reimage has deadlines of its own.
    case "went-silent":
    // Always with a registration.
    case "own-board-back":
    // The reimage changes these itself.
    case "boot-target-changed":
    case "proved":
    case "proof-voided":
    case "discovered":
    case "renamed":
    case "accepted":
    case "labelled":
    case "forgotten":
      return undefined;
  }
}
