import type { HeartbeatRequest, RegisterRequest } from "../../../proto/gen/pallet/v1/enrollment.ts";
import type * as wire from "../../../proto/gen/pallet/v1/node.ts";
import { maxImageName } from "../../../proto/names/image-name.ts";
import type { NodeId } from "../../../proto/names/node-id.ts";
import { parseMacAddress } from "../../../proto/names/node-id.ts";
import type { AgentInfo } from "../../../proto/node/agent-info.ts";
import { hasMac } from "../../../proto/node/has-mac.ts";
import { agentInfoFromWire, factsFromWire } from "../../../proto/node/node-codec.ts";
import type { NodeFacts } from "../../../proto/node/node-facts.ts";
import type { ImageDigest } from "../../../proto/pack/digest.ts";
import type { InstalledSystem } from "../../../proto/system/installed-system.ts";
import type { InstalledKernels } from "../../../proto/system/judge-kernels.ts";
import type { ResidentProgram } from "../../../proto/system/judge-resident.ts";
import type { Heartbeat, Registration } from "../../nodes/registration.ts";
import { invalid } from "../../refusal/refusal.ts";
import { plainText, required, requiredText } from "./text-from-wire.ts";

/** No board has more; the excess is dropped rather than stored, because anyone may register nodes. */
const maxInterfaces = 16;
const maxAddresses = 8;
const maxKernels = 32;
const maxCapabilities = 64;
const maxFound = 16;

/** An agent's introduction, checked. Throws a Failure naming what is wrong with it. */
export function registrationFromWire(request: RegisterRequest, address: string | undefined): Registration {
  const id = bootMacFromWire(request.bootMac);
  return {
    id,
    facts: checkedFacts(required("facts", request.facts), id),
    agent: checkedAgent(required("agent", request.agent)),
    ...(address !== undefined && { address }),
  };
}

/** A heartbeat, checked. Throws a Failure naming what is wrong with it. */
export function heartbeatFromWire(request: HeartbeatRequest, address: string | undefined): Heartbeat {
  const temperature = request.temperatureCelsius;
  return {
    id: bootMacFromWire(request.bootMac),
    instanceId: request.instanceId,
    ...(temperature !== undefined && Number.isFinite(temperature) && { temperatureCelsius: temperature }),
    ...(address !== undefined && { address }),
  };
}

/** The MAC address that identifies a node. Throws a Failure if it is not one. */
export function bootMacFromWire(text: string): NodeId {
  const id = parseMacAddress(text);
  if (id !== undefined) return id;
  const found = text === "" ? "empty" : JSON.stringify(plainText(text, 80));
  throw invalid(
    `boot_mac is ${found}, which is not the MAC address of an interface; give one like "b8:27:eb:00:00:01"`,
  );
}

/**
 * Facts about a node, checked. Throws a Failure naming what is wrong with them. The interface of `id` is never cut off.
 */
export function checkedFacts(wireFacts: wire.NodeFacts, id?: NodeId): NodeFacts {
  const { temperatureCelsius, ...facts } = factsFromWire(wireFacts);
  const isBoots = (each: NodeFacts["interfaces"][number]): boolean => id !== undefined && hasMac(each, id);
  const kept = facts.interfaces.slice(0, maxInterfaces);
  const boots = facts.interfaces.slice(maxInterfaces).find(isBoots);
  if (boots !== undefined && !kept.some(isBoots)) kept[maxInterfaces - 1] = boots;
  return {
    model: plainText(facts.model),
    serial: plainText(facts.serial, 64).toLowerCase(),
    interfaces: kept.map((each) => ({
      name: plainText(each.name, 64),
      mac: parseMacAddress(each.mac) ?? plainText(each.mac, 64),
      ...(each.currentMac !== undefined && {
        currentMac: parseMacAddress(each.currentMac) ?? plainText(each.currentMac, 64),
      }),
      addresses: each.addresses.slice(0, maxAddresses).map((address) => plainText(address, 64)),
    })),
    memoryBytes: exactCount(facts.memoryBytes),
    cpuCount: facts.cpuCount,
    cpuModel: plainText(facts.cpuModel),
    ...(temperatureCelsius !== undefined && Number.isFinite(temperatureCelsius) && { temperatureCelsius }),
    kernel: plainText(facts.kernel),
    architecture: plainText(facts.architecture, 64),
    bootId: plainText(requiredText("facts.boot_id", facts.bootId), 64),
    root: {
      source: plainText(facts.root.source),
      filesystemType: plainText(facts.root.filesystemType, 64),
      disk: plainText(facts.root.disk),
      // Of a checked form already.
      ...(facts.root.ids && { ids: facts.root.ids }),
      ...(facts.root.nfsRoot !== undefined && { nfsRoot: plainText(facts.root.nfsRoot, 512) }),
    },
    hostname: plainText(facts.hostname),
    uptimeSeconds: exactCount(facts.uptimeSeconds),
    ...(facts.kernels && { kernels: checkedKernels(facts.kernels) }),
  };
}

function checkedKernels({ modules, kernels }: InstalledKernels): InstalledKernels {
  return {
    modules: modules.slice(0, maxKernels).map(({ release, usable }) => ({ release: plainText(release, 64), usable })),
    kernels: kernels.slice(0, maxKernels).map((release) => plainText(release, 64)),
  };
}

/** What an agent reports about itself, checked. Throws a Failure naming what is wrong with it. */
export function checkedAgent(wireAgent: wire.AgentInfo): AgentInfo {
  const { version, role, instanceId, port, installed, residentProgram, ...more } = agentInfoFromWire(wireAgent);
  const { contract, capabilities, bootedAlone, found } = more;
  if (port < 1 || port > 65_535) throw invalid(`agent.port is ${port}; give a TCP port from 1 to 65535`);
  if (role === undefined) throw invalid("agent.role is neither netboot nor resident");
  return {
    version: plainText(version, 64),
    role,
    instanceId: plainText(requiredText("agent.instance_id", instanceId), 64),
    port,
    ...(installed !== undefined && { installed: checkedStamp(installed) }),
    ...(residentProgram !== undefined && { residentProgram: checkedProgram(residentProgram) }),
    ...(contract !== undefined && { contract: plainText(contract, 64) }),
    ...(capabilities !== undefined && {
      capabilities: capabilities.slice(0, maxCapabilities).map((word) => plainText(word, 32)),
    }),
    ...(bootedAlone && { bootedAlone }),
    ...(found !== undefined && {
      found: found.slice(0, maxFound).map((each) => ({
        disk: plainText(each.disk),
        device: plainText(each.device),
        installed: checkedStamp(each.installed),
      })),
    }),
  };
}

function checkedStamp({ imageName, imageDigest, reimageId, installedAt }: InstalledSystem): InstalledSystem {
  return {
    imageName: plainText(imageName, maxImageName),
    imageDigest: plainText(imageDigest, 64) as ImageDigest,
    reimageId: plainText(reimageId, 64),
    installedAt,
  };
}

function checkedProgram({ sizeBytes, program }: ResidentProgram): ResidentProgram {
  const interpreter = program.kind === "elf" ? program.interpreter : undefined;
  return {
    sizeBytes: exactCount(sizeBytes),
    program: program.kind === "elf" ? { ...program, interpreter: interpreter && plainText(interpreter) } : program,
  };
}

/** More than a number can hold exactly is bogus. */
function exactCount(value: number): number {
  return Number.isSafeInteger(value) ? value : 0;
}

/** A count from the wire; more than a number can hold exactly is bogus. */
export function countFromWire(value: bigint): number {
  return exactCount(Number(value));
}
