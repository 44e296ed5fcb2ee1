import * as wire from "../../../proto/gen/pallet/v1/controller.ts";
import * as wireNode from "../../../proto/gen/pallet/v1/node.ts";
import type { AgentInfo, Node, NodeFacts } from "../../nodes/node.ts";

/** A node as it travels, with what only others know of it. */
export function nodeToWire(node: Node, view: { readonly online: boolean; readonly rolloutId?: string }): wire.Node {
  const { bootTarget, proved } = node;
  return {
    nodeId: node.id,
    name: node.name,
    accepted: node.accepted,
    bootTarget: bootTarget.kind === "agent" ? wire.BootTarget.BOOT_TARGET_AGENT : wire.BootTarget.BOOT_TARGET_LOCAL,
    bootImageDigest: bootTarget.kind === "local" ? bootTarget.imageDigest : "",
    address: node.address ?? "",
    facts: node.facts && factsToWire(node.facts),
    agent: node.agent && agentToWire(node.agent),
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
    provedWeakly: proved?.weak ?? false,
    rolloutId: view.rolloutId ?? "",
  };
}

function factsToWire(facts: NodeFacts): wireNode.NodeFacts {
  return {
    ...facts,
    interfaces: facts.interfaces.map((each) => ({ ...each, addresses: [...each.addresses] })),
    memoryBytes: BigInt(facts.memoryBytes),
    uptimeSeconds: BigInt(facts.uptimeSeconds),
    temperatureCelsius: facts.temperatureCelsius,
    root: { ...facts.root },
  };
}

function agentToWire(agent: AgentInfo): wireNode.AgentInfo {
  const { installed } = agent;
  return {
    version: agent.version,
    role: agent.role === "netboot" ? wireNode.AgentRole.AGENT_ROLE_NETBOOT : wireNode.AgentRole.AGENT_ROLE_RESIDENT,
    instanceId: agent.instanceId,
    port: agent.port,
    installed: installed && { ...installed, installedAt: new Date(installed.installedAt) },
  };
}
