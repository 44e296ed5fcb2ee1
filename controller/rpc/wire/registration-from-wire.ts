import type { HeartbeatRequest, RegisterRequest } from "../../../proto/gen/pallet/v1/enrollment.ts";
import * as wire from "../../../proto/gen/pallet/v1/node.ts";
import type { NodeId } from "../../../proto/node-id.ts";
import { parseMacAddress } from "../../../proto/node-id.ts";
import type { ImageDigest } from "../../../proto/pack/digest.ts";
import type { InstalledSystem } from "../../../proto/system/installed-system.ts";
import type { AgentInfo, NodeFacts } from "../../nodes/node.ts";
import type { Heartbeat, Registration } from "../../nodes/registration.ts";
import { invalid } from "../../refusal/refusal.ts";
import { plainText, required, requiredText } from "./text-from-wire.ts";

/** No board has more; what is beyond is cut off rather than remembered: anybody may register any number of nodes. */
const maxInterfaces = 16;
const maxAddresses = 8;

/** An agent's introduction, checked. Throws a Failure naming what is wrong with it. */
export function registrationFromWire(request: RegisterRequest, address: string | undefined): Registration {
  const id = bootMacFromWire(request.bootMac);
  return {
    id,
    facts: factsFromWire(required("facts", request.facts), id),
    agent: agentFromWire(required("agent", request.agent)),
    ...(address !== undefined && { address }),
  };
}

/** A sign of life, checked. Throws a Failure naming what is wrong with it. */
export function heartbeatFromWire(request: HeartbeatRequest, address: string | undefined): Heartbeat {
  const temperature = request.temperatureCelsius;
  return {
    id: bootMacFromWire(request.bootMac),
    instanceId: request.instanceId,
    ...(temperature !== undefined && Number.isFinite(temperature) && { temperatureCelsius: temperature }),
    ...(address !== undefined && { address }),
  };
}

/** The MAC address that identifies a node. Throws a Failure when it is none. */
export function bootMacFromWire(text: string): NodeId {
  const id = parseMacAddress(text);
  if (id !== undefined) return id;
  const found = text === "" ? "empty" : JSON.stringify(plainText(text, 80));
  throw invalid(
    `boot_mac is ${found}, which is not the MAC address of an interface; give one like "b8:27:eb:00:00:01"`,
  );
}

/** Facts about a node, checked. Throws a Failure naming what is wrong with them. The interface of `id` is never cut off. */
export function factsFromWire(facts: wire.NodeFacts, id?: NodeId): NodeFacts {
  const { temperatureCelsius } = facts;
  const isBoots = ({ mac }: { readonly mac: string }): boolean => id !== undefined && parseMacAddress(mac) === id;
  const kept = facts.interfaces.slice(0, maxInterfaces);
  const boots = facts.interfaces.slice(maxInterfaces).find(isBoots);
  if (boots !== undefined && !kept.some(isBoots)) kept[maxInterfaces - 1] = boots;
  return {
    model: plainText(facts.model),
    serial: plainText(facts.serial, 64).toLowerCase(),
    interfaces: kept.map((each) => ({
      name: plainText(each.name, 64),
      mac: parseMacAddress(each.mac) ?? plainText(each.mac, 64),
      addresses: each.addresses.slice(0, maxAddresses).map((address) => plainText(address, 64)),
    })),
    memoryBytes: countFromWire(facts.memoryBytes),
    cpuCount: facts.cpuCount,
    cpuModel: plainText(facts.cpuModel),
    ...(temperatureCelsius !== undefined && Number.isFinite(temperatureCelsius) && { temperatureCelsius }),
    kernel: plainText(facts.kernel),
    architecture: plainText(facts.architecture, 64),
    bootId: plainText(requiredText("facts.boot_id", facts.bootId), 64),
    root: {
      source: plainText(facts.root?.source ?? ""),
      filesystemType: plainText(facts.root?.filesystemType ?? "", 64),
      disk: plainText(facts.root?.disk ?? ""),
    },
    hostname: plainText(facts.hostname),
    uptimeSeconds: countFromWire(facts.uptimeSeconds),
  };
}

/** What an agent says of itself, checked. Throws a Failure naming what is wrong with it. */
export function agentFromWire(agent: wire.AgentInfo): AgentInfo {
  if (agent.port < 1 || agent.port > 65_535)
    throw invalid(`agent.port is ${agent.port}; give a TCP port from 1 to 65535`);
  return {
    version: plainText(agent.version, 64),
    role: roleFromWire(agent.role),
    instanceId: plainText(requiredText("agent.instance_id", agent.instanceId), 64),
    port: agent.port,
    ...(agent.installed !== undefined && { installed: installedFromWire(agent.installed) }),
  };
}

function roleFromWire(role: wire.AgentRole): AgentInfo["role"] {
  if (role === wire.AgentRole.AGENT_ROLE_NETBOOT) return "netboot";
  if (role === wire.AgentRole.AGENT_ROLE_RESIDENT) return "resident";
  throw invalid("agent.role is neither netboot nor resident");
}

function installedFromWire(installed: wire.InstalledSystem): InstalledSystem {
  return {
    imageName: plainText(installed.imageName, 63),
    imageDigest: plainText(installed.imageDigest, 64) as ImageDigest,
    reimageId: plainText(installed.reimageId, 64),
    installedAt: (installed.installedAt ?? new Date(0)).toISOString(),
  };
}

/** A count from the wire; more than a number can hold exactly is a lie. */
export function countFromWire(value: bigint): number {
  return Number(value > BigInt(Number.MAX_SAFE_INTEGER) ? 0n : value);
}
