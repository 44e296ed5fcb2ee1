import { readFile } from "node:fs/promises";
import { arch, cpus, hostname, networkInterfaces, release, uptime } from "node:os";
import { cpu, cpuTemperature, mem } from "systeminformation";
import { Failure } from "../../proto/failure.ts";
import type { NodeId } from "../../proto/names/node-id.ts";
import type { NodeFacts } from "../../proto/node/node-facts.ts";
import { parseKernelCommandLine } from "../../proto/system/kernel-command-line.ts";
import { type Board, parseCpuinfo, parseDeviceTreeString, selectBoard } from "./parse-board.ts";
import { readLinks } from "./read-links.ts";
import { readRootDevice } from "./read-root-device.ts";
import { readRootIds } from "./read-root-ids.ts";
import { selectInterfaces } from "./select-interfaces.ts";

const bootIdFile = "/proc/sys/kernel/random/boot_id";

/**
 * Reads the facts about this node, now. What cannot change while the process lives (board, CPU) is read once.
 *
 * @param bootMac by which the node is known; undefined where that is chosen from the facts
 *
 * Throws an `internal` Failure when the boot id or the root filesystem cannot be read: without them nothing is proved.
 */
export async function readNodeFacts(bootMac?: NodeId): Promise<NodeFacts> {
  unchanging ??= readUnchanging().catch((error: unknown) => {
    unchanging = undefined;
    throw error;
  });
  const [fixed, memory, temperature, bootId, root, ids, nfsRoot] = await Promise.all([
    unchanging,
    mem(),
    readTemperature(),
    readBootId(),
    readRootDevice(),
    // Without them the controller goes by what it knows; a node has to report whatever its disk does.
    readRootIds().catch(() => undefined),
    readNfsRoot(),
  ]);
  return {
    ...fixed,
    interfaces: readInterfaces(bootMac),
    memoryBytes: memory.total,
    ...(temperature !== undefined && { temperatureCelsius: temperature }),
    kernel: release(),
    architecture: arch(),
    bootId,
    root: { ...root, ...(ids && { ids }), nfsRoot },
    hostname: hostname(),
    uptimeSeconds: Math.floor(uptime()),
  };
}

/** CPU temperature in degrees Celsius, now; undefined when there is no sensor. */
export async function readTemperature(): Promise<number | undefined> {
  const { main } = await cpuTemperature();
  return typeof main === "number" ? main : undefined;
}

type Unchanging = Pick<NodeFacts, "model" | "serial" | "cpuCount" | "cpuModel">;

let unchanging: Promise<Unchanging> | undefined;

/** systeminformation asks lscpu(1) here, which names the model of an ARM core where /proc/cpuinfo does not. */
async function readUnchanging(): Promise<Unchanging> {
  const [board, processor] = await Promise.all([readBoard(), cpu()]);
  return {
    ...board,
    cpuCount: cpus().length || processor.cores,
    cpuModel: processor.brand || (cpus()[0]?.model ?? ""),
  };
}

async function readBoard(): Promise<Board> {
  const property = async (name: string) =>
    parseDeviceTreeString(await readIfThere(`/sys/firmware/devicetree/base/${name}`));
  const [model, serial, cpuinfo] = await Promise.all([
    property("model"),
    property("serial-number"),
    readIfThere("/proc/cpuinfo"),
  ]);
  return selectBoard({ model, serial }, parseCpuinfo(cpuinfo.toString("utf8")));
}

/** The id of this boot; throws an `internal` Failure when it cannot be read. */
export async function readBootId(): Promise<string> {
  try {
    return (await readFile(bootIdFile, "utf8")).trim();
  } catch (error) {
    throw new Failure("internal", `cannot read this boot's id from ${bootIdFile}`, { cause: error });
  }
}

/** The root filesystem that this system was told to mount over NFS (admin-guide/nfs/nfsroot.rst); empty without. */
async function readNfsRoot(): Promise<string> {
  return parseKernelCommandLine((await readIfThere("/proc/cmdline")).toString("utf8")).get("nfsroot") ?? "";
}

/** Those of the network namespace that this process is in. */
function readInterfaces(bootMac: NodeId | undefined): NodeFacts["interfaces"] {
  const addresses = Object.entries(networkInterfaces()).map(
    ([name, found = []]) => [name, found.map(({ address }) => address)] as const,
  );
  return selectInterfaces(readLinks(), new Map(addresses), bootMac);
}

/** A file's bytes, none when it does not exist. */
async function readIfThere(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return Buffer.alloc(0);
    throw error;
  }
}
