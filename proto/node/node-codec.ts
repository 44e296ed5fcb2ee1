import * as wire from "../gen/pallet/v1/node.ts";
import type { ImageDigest } from "../pack/digest.ts";
import type { AgentRole } from "../system/agent-program.ts";
import { configDigestForm, type InstalledSystem } from "../system/installed-system.ts";
import type { ResidentProgram } from "../system/judge-resident.ts";
import { programKinds } from "../words/program-kind.ts";
import { wireWords } from "../words/wire-words.ts";
import type { AgentInfo } from "./agent-info.ts";
import type { NodeFacts, RootDevice } from "./node-facts.ts";
import { parseRootIds, type RootIds } from "./root-ids.ts";

/** The roles of agents as they travel. */
export const agentRoles = wireWords<AgentRole, wire.AgentRole>({
  netboot: wire.AgentRole.AGENT_ROLE_NETBOOT,
  resident: wire.AgentRole.AGENT_ROLE_RESIDENT,
});

/** What an agent reports of itself: its role is absent when it is one that only newer peers know. */
export type ReportedAgent = Omit<AgentInfo, "role"> & { readonly role?: AgentRole };

/** Facts about a node as they travel. */
export function factsToWire(facts: NodeFacts): wire.NodeFacts {
  return {
    ...facts,
    interfaces: facts.interfaces.map(({ name, mac, currentMac = "", addresses }) => ({
      ...{ name, mac, currentMac },
      addresses: [...addresses],
    })),
    memoryBytes: BigInt(facts.memoryBytes),
    temperatureCelsius: facts.temperatureCelsius,
    root: {
      ...facts.root,
      ids: facts.root.ids && rootIdsToWire(facts.root.ids),
      nfsRoot: facts.root.nfsRoot,
    },
    uptimeSeconds: BigInt(Math.floor(facts.uptimeSeconds)),
    kernels: facts.kernels && {
      modules: facts.kernels.modules.map((each) => ({ ...each })),
      kernels: [...facts.kernels.kernels],
    },
  };
}

/** Facts about a node as they travelled, whatever they say; a root that is missing is empty text. */
export function factsFromWire(facts: wire.NodeFacts): NodeFacts {
  const { temperatureCelsius, root } = facts;
  return {
    model: facts.model,
    serial: facts.serial,
    interfaces: facts.interfaces.map(({ name, mac, currentMac, addresses }) => ({
      ...{ name, mac, addresses },
      ...(currentMac !== "" && { currentMac }),
    })),
    memoryBytes: Number(facts.memoryBytes),
    cpuCount: facts.cpuCount,
    cpuModel: facts.cpuModel,
    ...(temperatureCelsius !== undefined && { temperatureCelsius }),
    kernel: facts.kernel,
    architecture: facts.architecture,
    bootId: facts.bootId,
    root: rootFromWire(root),
    hostname: facts.hostname,
    uptimeSeconds: Number(facts.uptimeSeconds),
    ...(facts.kernels && { kernels: facts.kernels }),
  };
}

function rootFromWire(root: wire.RootDevice | undefined): RootDevice {
  const { source = "", filesystemType = "", disk = "", ids, nfsRoot } = root ?? {};
  // Longer than a kernel command line may be says nothing.
  const hasNfsRoot = nfsRoot !== undefined && nfsRoot.length <= 2048;
  return { source, filesystemType, disk, ...(ids && { ids: parseRootIds(ids) }), ...(hasNfsRoot && { nfsRoot }) };
}

function rootIdsToWire({ partitionUuid, filesystemUuid }: RootIds): wire.RootIds {
  return { partitionUuid, filesystemUuid };
}

/** The agent process as it travels. */
export function agentInfoToWire(agent: AgentInfo): wire.AgentInfo {
  return {
    version: agent.version,
    role: agentRoles.toWire(agent.role),
    instanceId: agent.instanceId,
    port: agent.port,
    installed: agent.installed && installedToWire(agent.installed),
    residentProgram: agent.residentProgram && residentProgramToWire(agent.residentProgram),
    contract: agent.contract ?? "",
    capabilities: [...(agent.capabilities ?? [])],
    bootedAlone: agent.bootedAlone ?? false,
    found: (agent.found ?? []).map((each) => ({ ...each, installed: installedToWire(each.installed) })),
  };
}

/** The agent process as it travelled, whatever it says. */
export function agentInfoFromWire(agent: wire.AgentInfo): ReportedAgent {
  const role = agentRoles.fromWire(agent.role);
  const residentProgram = agent.residentProgram && residentProgramFromWire(agent.residentProgram);
  return {
    version: agent.version,
    ...(role !== undefined && { role }),
    instanceId: agent.instanceId,
    port: agent.port,
    ...(agent.installed !== undefined && { installed: installedFromWire(agent.installed) }),
    ...(residentProgram !== undefined && { residentProgram }),
    ...(agent.contract !== "" && { contract: agent.contract }),
    ...(agent.capabilities.length > 0 && { capabilities: [...agent.capabilities] }),
    ...(agent.bootedAlone && { bootedAlone: true as const }),
    ...(agent.found.length > 0 && {
      found: agent.found.flatMap(({ disk, device, installed }) =>
        installed === undefined ? [] : [{ disk, device, installed: installedFromWire(installed) }],
      ),
    }),
  };
}

function residentProgramToWire({ sizeBytes, program }: ResidentProgram): wire.ResidentProgram {
  return wire.ResidentProgram.fromPartial({
    kind: programKinds.toWire(program.kind),
    sizeBytes: BigInt(sizeBytes),
    ...(program.kind === "elf" && {
      bits: program.elf.bits,
      machine: program.elf.machine,
      interpreter: program.interpreter ?? "",
    }),
  });
}

/** Undefined for a kind that only newer peers know, and for a number of bits that no ELF file has. */
function residentProgramFromWire(program: wire.ResidentProgram): ResidentProgram | undefined {
  const kind = programKinds.fromWire(program.kind);
  const sizeBytes = Number(program.sizeBytes);
  if (kind !== "elf") return kind && { sizeBytes, program: { kind } };
  const { bits, machine, interpreter } = program;
  if (bits !== 32 && bits !== 64) return undefined;
  return { sizeBytes, program: { kind, elf: { bits, machine }, interpreter: interpreter || undefined } };
}

/** A stamp as it travels. */
export function installedToWire(installed: InstalledSystem): wire.InstalledSystem {
  const { ids = [], config = "" } = installed;
  return { ...installed, installedAt: new Date(installed.installedAt), ids: [...ids], config };
}

/** A stamp as it travelled, whatever it says; one without a time is of the epoch. */
export function installedFromWire(installed: wire.InstalledSystem): InstalledSystem {
  return {
    imageName: installed.imageName,
    imageDigest: installed.imageDigest as ImageDigest,
    reimageId: installed.reimageId,
    installedAt: new Date(installed.installedAt?.getTime() || 0).toISOString(),
    ...(installed.ids.length > 0 && { ids: installed.ids.map((change) => ({ ...change })) }),
    // What is no digest is none that a config has.
    ...(configDigestForm.test(installed.config) && { config: installed.config }),
  };
}
