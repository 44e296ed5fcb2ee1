import type * as wire from "../../../proto/gen/pallet/v1/controller.ts";
import { agentInfoToWire, factsToWire } from "../../../proto/node/node-codec.ts";
import { bootTargets } from "../../../proto/words/boot-target.ts";
import { nodeTroubleKinds } from "../../../proto/words/node-trouble-kind.ts";
import type { Node } from "../../nodes/node.ts";
import type { NodeTrouble } from "../../nodes/node-trouble.ts";
import { configToWire } from "./config-to-wire.ts";

/** Converts a node to the wire, with what other rooms know about it. */
export function nodeToWire(
  node: Node,
  view: {
    readonly online: boolean;
    readonly rolloutId?: string;
    readonly troubles: readonly NodeTrouble[];
    readonly lastReimage?: wire.LastReimage;
  },
): wire.Node {
  const { bootTarget, proved } = node;
  const replaced = node.board?.replaced;
  return {
    nodeId: node.id,
    name: node.name,
    accepted: node.accepted,
    bootTarget: bootTargets.toWire(bootTarget.kind),
    bootImageDigest: bootTarget.kind === "local" ? bootTarget.imageDigest : "",
    // Of a node whose agent is not heard, where it was seen since says more than where that agent was.
    address: (view.online ? node.address : (node.bootAddress ?? node.address)) ?? "",
    facts: node.facts && factsToWire(node.facts),
    agent: node.agent && agentInfoToWire(node.agent),
    online: view.online,
    lastSeenAt: new Date(node.lastSeenAt),
    bootStage: node.bootStage && {
      path: node.bootStage.path,
      time: new Date(node.bootStage.at),
      missing: node.bootStage.missing ?? false,
    },
    discoveredAt: new Date(node.discoveredAt),
    provedImageDigest: proved?.imageDigest ?? "",
    provedImageName: proved?.imageName ?? "",
    provedWeakly: proved?.kind === "weak",
    labels: Object.entries(node.labels ?? {}).map(([key, value]) => ({ key, value })),
    rolloutId: view.rolloutId ?? "",
    troubles: view.troubles.map(({ kind, message, since, lastAt, count }) => ({
      ...{ kind: nodeTroubleKinds.toWire(kind), message, count },
      since: new Date(since),
      lastTime: new Date(lastAt),
    })),
    lastReimage: view.lastReimage,
    index: node.index ?? 0,
    config: node.installation?.config && configToWire(node.installation.config),
    replacedBoard: replaced && { serial: replaced.serial, name: replaced.name, since: new Date(replaced.since) },
  };
}
