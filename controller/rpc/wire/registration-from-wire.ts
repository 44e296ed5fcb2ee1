import type { HeartbeatRequest, RegisterRequest } from "../../../proto/gen/pallet/v1/enrollment.ts";
import type * as wire from "../../../proto/gen/pallet/v1/node.ts";
import { limits } from "../../../proto/limits.ts";
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
import type { TasksReport } from "../../../proto/system/tasks/report-tasks.ts";
import type { Heartbeat, Registration } from "../../nodes/registration.ts";
import { invalid } from "../../refusal/refusal.ts";
import { plainLines, plainText, required, requiredText } from "./text-from-wire.ts";

// No board has more. The excess is dropped rather than stored, because anyone may register nodes, and rather than
// refused: a host of containers has hundreds of interfaces, of which older agents send 32.
const maxInterfaces = limits.facts.interfaces.most;
const maxAddresses = limits.facts.addresses.most;
const maxKernels = limits.facts.kernels.most;
const maxCapabilities = limits.facts.capabilities.most;
const maxFound = limits.facts.foundSystems.most;
const maxText = limits.facts.textCharacters.most;
const maxWord = limits.facts.wordCharacters.most;

/**
 * An agent's introduction, checked. Throws a Failure naming what is wrong with it, also when what would be kept of it is
 * more than any board has to say.
 */
export function registrationFromWire(request: RegisterRequest, address: string | undefined): Registration {
  const id = bootMacFromWire(request.bootMac);
  const wireFacts = required("facts", request.facts);
  const facts = checkedFacts(wireFacts, id);
  const agent = checkedAgent(required("agent", request.agent));
  // Tasks have bounds of their own, and come with a system of which a person said so.
  const bytes = Buffer.byteLength(JSON.stringify({ facts, agent: { ...agent, tasks: undefined } }));
  if (bytes > limits.facts.bytes.most) {
    throw invalid(
      `facts and agent have ${bytes} bytes as JSON; no board has more to say than ${limits.facts.bytes.most}`,
    );
  }
  const doubted = doubtedFacts(wireFacts);
  return {
    ...{ id, facts, agent },
    ...(doubted.length > 0 && { doubted }),
    ...(address !== undefined && { address }),
  };
}

/** A heartbeat, checked. Throws a Failure naming what is wrong with it. */
export function heartbeatFromWire(request: HeartbeatRequest, address: string | undefined): Heartbeat {
  const temperature = request.temperatureCelsius;
  return {
    id: bootMacFromWire(request.bootMac),
    instanceId: plainText(request.instanceId, maxWord),
    ...(temperature !== undefined && isTemperature(temperature) && { temperatureCelsius: temperature }),
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
    model: plainText(facts.model, maxText),
    serial: plainText(facts.serial, maxWord).toLowerCase(),
    interfaces: kept.map((each) => ({
      name: plainText(each.name, maxWord),
      mac: parseMacAddress(each.mac) ?? plainText(each.mac, maxWord),
      ...(each.currentMac !== undefined && {
        currentMac: parseMacAddress(each.currentMac) ?? plainText(each.currentMac, maxWord),
      }),
      addresses: each.addresses.slice(0, maxAddresses).map((address) => plainText(address, maxWord)),
    })),
    memoryBytes: countUpTo(facts.memoryBytes, limits.facts.memoryBytes.most),
    cpuCount: countUpTo(facts.cpuCount, limits.facts.cpuCount.most),
    cpuModel: plainText(facts.cpuModel, maxText),
    ...(temperatureCelsius !== undefined && isTemperature(temperatureCelsius) && { temperatureCelsius }),
    kernel: plainText(facts.kernel, maxText),
    architecture: plainText(facts.architecture, maxWord),
    bootId: plainText(requiredText("facts.boot_id", facts.bootId), maxWord),
    root: {
      source: plainText(facts.root.source, maxText),
      filesystemType: plainText(facts.root.filesystemType, maxWord),
      disk: plainText(facts.root.disk, maxText),
      // Of a checked form already.
      ...(facts.root.ids && { ids: facts.root.ids }),
      ...(facts.root.nfsRoot !== undefined && {
        nfsRoot: plainText(facts.root.nfsRoot, limits.facts.nfsRootCharacters.most),
      }),
    },
    hostname: plainText(facts.hostname, maxText),
    uptimeSeconds: countUpTo(facts.uptimeSeconds, limits.facts.uptimeSeconds.most),
    ...(facts.kernels && { kernels: checkedKernels(facts.kernels) }),
  };
}

function checkedKernels({ modules, kernels }: InstalledKernels): InstalledKernels {
  return {
    modules: modules
      .slice(0, maxKernels)
      .map(({ release, usable }) => ({ release: plainText(release, maxWord), usable })),
    kernels: kernels.slice(0, maxKernels).map((release) => plainText(release, maxWord)),
  };
}

/** What an agent reports about itself, checked. Throws a Failure naming what is wrong with it. */
export function checkedAgent(wireAgent: wire.AgentInfo): AgentInfo {
  const { version, role, instanceId, port, installed, residentProgram, ...more } = agentInfoFromWire(wireAgent);
  const { contract, capabilities, bootedAlone, found, tasks } = more;
  if (port < 1 || port > 65_535) throw invalid(`agent.port is ${port}; give a TCP port from 1 to 65535`);
  if (role === undefined) throw invalid("agent.role is neither netboot nor resident");
  return {
    version: plainText(version, maxWord),
    role,
    instanceId: plainText(requiredText("agent.instance_id", instanceId), maxWord),
    port,
    ...(installed !== undefined && { installed: checkedStamp(installed) }),
    ...(residentProgram !== undefined && { residentProgram: checkedProgram(residentProgram) }),
    ...(contract !== undefined && { contract: plainText(contract, maxWord) }),
    ...(capabilities !== undefined && {
      capabilities: capabilities
        .slice(0, maxCapabilities)
        .map((word) => plainText(word, limits.facts.capabilityCharacters.most)),
    }),
    ...(bootedAlone && { bootedAlone }),
    ...(found !== undefined && {
      found: found.slice(0, maxFound).map((each) => ({
        disk: plainText(each.disk, maxText),
        device: plainText(each.device, maxText),
        installed: checkedStamp(each.installed),
      })),
    }),
    ...(tasks !== undefined && role === "resident" && { tasks: checkedTasks(tasks) }),
  };
}

/** Of tasks that have failed, the first says why: it has kept the others from running. */
function checkedTasks({ configDigest, tasks, problem }: TasksReport): TasksReport {
  const failed = tasks.findIndex(({ state }) => state === "failed");
  return {
    configDigest: plainText(configDigest, maxWord),
    tasks: tasks.slice(0, limits.tasks.ofNode.most).map(({ problem: why, output, exitCode, ...task }, at) => ({
      ...task,
      name: plainText(task.name, maxWord),
      starts: countUpTo(task.starts, limits.tasks.starts.most),
      ...(exitCode !== undefined && exitCode <= 255 && { exitCode }),
      ...(at === failed && why !== undefined && { problem: plainText(why, limits.tasks.problemCharacters.most) }),
      ...(at === failed && output !== undefined && { output: plainLines(output, limits.tasks.outputCharacters.most) }),
    })),
    ...(problem !== undefined && { problem: plainText(problem, limits.tasks.problemCharacters.most) }),
  };
}

function checkedStamp({ imageName, imageDigest, reimageId, installedAt, config }: InstalledSystem): InstalledSystem {
  return {
    imageName: plainText(imageName, maxImageName),
    imageDigest: plainText(imageDigest, maxWord) as ImageDigest,
    reimageId: plainText(reimageId, maxWord),
    ...(config !== undefined && { config }),
    installedAt,
  };
}

function checkedProgram({ sizeBytes, program }: ResidentProgram): ResidentProgram {
  const interpreter = program.kind === "elf" ? program.interpreter : undefined;
  return {
    sizeBytes: countUpTo(sizeBytes, limits.agents.diskBytes.most),
    program:
      program.kind === "elf" ? { ...program, interpreter: interpreter && plainText(interpreter, maxText) } : program,
  };
}

/** A count that may be true; anything else is 0, which says that it is unknown. */
function countUpTo(value: number, most: number): number {
  return Number.isSafeInteger(value) && value >= 0 && value <= most ? value : 0;
}

/** Whether a board can have it, in degrees Celsius. */
function isTemperature(celsius: number): boolean {
  return celsius >= -limits.facts.coldestCelsius.most && celsius <= limits.facts.hottestCelsius.most;
}

/** What a node says of itself and cannot be true, each as words for a person. */
function doubtedFacts({ memoryBytes, cpuCount, uptimeSeconds, temperatureCelsius }: wire.NodeFacts): readonly string[] {
  return [
    ...(memoryBytes > limits.facts.memoryBytes.most ? [`${memoryBytes} bytes of memory`] : []),
    ...(cpuCount > limits.facts.cpuCount.most ? [`${cpuCount} CPUs`] : []),
    ...(uptimeSeconds > limits.facts.uptimeSeconds.most ? [`an uptime of ${uptimeSeconds} s`] : []),
    ...(temperatureCelsius !== undefined && !isTemperature(temperatureCelsius)
      ? [`a temperature of ${temperatureCelsius} °C`]
      : []),
  ];
}
