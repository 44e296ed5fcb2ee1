import { BootTarget, type Node } from "../../../proto/gen/pallet/v1/controller.ts";
import { type AgentInfo, AgentRole, type NodeFacts } from "../../../proto/gen/pallet/v1/node.ts";
import { toNumber, toText, toTime } from "./wire-values.ts";

/** What a node measured about itself, as `--json` shows it. */
export interface FactsView {
  readonly model: string | null;
  readonly serial: string | null;
  readonly interfaces: readonly {
    readonly name: string;
    readonly mac: string;
    readonly addresses: readonly string[];
  }[];
  readonly memoryBytes: number;
  readonly cpuCount: number;
  readonly cpuModel: string | null;
  readonly temperatureCelsius: number | null;
  readonly kernel: string | null;
  readonly architecture: string | null;
  readonly bootId: string | null;
  readonly root: { readonly source: string; readonly filesystemType: string; readonly disk: string | null } | null;
  readonly hostname: string | null;
  readonly uptimeSeconds: number;
}

/** The agent on a node, as `--json` shows it. */
export interface AgentView {
  readonly version: string | null;
  readonly role: "netboot" | "resident" | "unknown";
  readonly instanceId: string;
  readonly port: number;
  readonly installed: {
    readonly imageName: string;
    readonly imageDigest: string;
    readonly reimageId: string;
    readonly installedAt: string | null;
  } | null;
}

/** A node as `--json` shows it. */
export interface NodeView {
  readonly nodeId: string;
  readonly name: string;
  readonly accepted: boolean;
  readonly online: boolean;
  readonly address: string | null;
  readonly bootTarget: "agent" | "local" | "unknown";
  readonly bootImageDigest: string | null;
  readonly bootStage: { readonly path: string; readonly time: string | null; readonly missing: boolean } | null;
  readonly provedImageName: string | null;
  readonly provedImageDigest: string | null;
  readonly provedWeakly: boolean;
  readonly rolloutId: string | null;
  readonly lastSeenAt: string | null;
  readonly discoveredAt: string | null;
  readonly facts: FactsView | null;
  readonly agent: AgentView | null;
}

const bootTargets: Readonly<Record<number, NodeView["bootTarget"]>> = {
  [BootTarget.BOOT_TARGET_AGENT]: "agent",
  [BootTarget.BOOT_TARGET_LOCAL]: "local",
};

const roles: Readonly<Record<number, AgentView["role"]>> = {
  [AgentRole.AGENT_ROLE_NETBOOT]: "netboot",
  [AgentRole.AGENT_ROLE_RESIDENT]: "resident",
};

function viewFacts(facts: NodeFacts): FactsView {
  const { root } = facts;
  return {
    model: toText(facts.model),
    serial: toText(facts.serial),
    interfaces: facts.interfaces.map(({ name, mac, addresses }) => ({ name, mac, addresses })),
    memoryBytes: toNumber(facts.memoryBytes),
    cpuCount: facts.cpuCount,
    cpuModel: toText(facts.cpuModel),
    temperatureCelsius: facts.temperatureCelsius ?? null,
    kernel: toText(facts.kernel),
    architecture: toText(facts.architecture),
    bootId: toText(facts.bootId),
    root: root ? { source: root.source, filesystemType: root.filesystemType, disk: toText(root.disk) } : null,
    hostname: toText(facts.hostname),
    uptimeSeconds: toNumber(facts.uptimeSeconds),
  };
}

function viewAgent(agent: AgentInfo): AgentView {
  const { installed } = agent;
  return {
    version: toText(agent.version),
    role: roles[agent.role] ?? "unknown",
    instanceId: agent.instanceId,
    port: agent.port,
    installed: installed
      ? {
          imageName: installed.imageName,
          imageDigest: installed.imageDigest,
          reimageId: installed.reimageId,
          installedAt: toTime(installed.installedAt),
        }
      : null,
  };
}

/** Converts from the wire. */
export function viewNode(node: Node): NodeView {
  return {
    nodeId: node.nodeId,
    name: node.name,
    accepted: node.accepted,
    online: node.online,
    address: toText(node.address),
    bootTarget: bootTargets[node.bootTarget] ?? "unknown",
    bootImageDigest: toText(node.bootImageDigest),
    bootStage: node.bootStage
      ? { path: node.bootStage.path, time: toTime(node.bootStage.time), missing: node.bootStage.missing }
      : null,
    provedImageName: toText(node.provedImageName),
    provedImageDigest: toText(node.provedImageDigest),
    provedWeakly: node.provedWeakly,
    rolloutId: toText(node.rolloutId),
    lastSeenAt: toTime(node.lastSeenAt),
    discoveredAt: toTime(node.discoveredAt),
    facts: node.facts ? viewFacts(node.facts) : null,
    agent: node.agent ? viewAgent(node.agent) : null,
  };
}
