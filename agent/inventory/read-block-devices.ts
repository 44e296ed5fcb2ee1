import { readFile } from "node:fs/promises";
import type { BlockDevice } from "../../proto/disk/block-device.ts";
import { blkidAmbivalent, blkidNothingFound, parseBlkid, renderBlkidArguments } from "../../proto/disk/parse-blkid.ts";
import { runTool } from "../linux/run-tool.ts";
import { nestLoopDevices, orderPartitions } from "./arrange-devices.ts";
import { parseLsblk, selectColumns } from "./parse-lsblk.ts";

/** Probes read a few blocks of each device; more at once would only make a slow card seek. */
const probesAtOnce = 4;

/** The kernel counts `start` in sectors of 512 bytes whatever the device's own sector size (Documentation/ABI). */
const sysfsSectorBytes = 512;

/**
 * Reads every block device of this node as a tree: lsblk(8), completed with what only sysfs knows (partition number and
 * start, SD card registers, loop devices over disks) and, where no udev database says what is on a device, with
 * blkid(8).
 *
 * Throws a Failure: `tool-failed` when a tool is missing or fails, `cancelled`.
 */
export async function readBlockDevices(signal?: AbortSignal): Promise<readonly BlockDevice[]> {
  const columns = await knownColumns(signal);
  const { stdout } = await runTool({
    tool: "lsblk",
    args: ["--json", "--bytes", "--output", columns.join(",")],
    task: "list the block devices",
    signal,
  });
  const limited = createLimit(probesAtOnce);
  const complete = async (device: BlockDevice): Promise<BlockDevice> => {
    const [facts, content, children] = await Promise.all([
      readSysfs(device),
      needsProbe(device) ? limited(() => probe(device, signal)) : undefined,
      Promise.all(device.children.map(complete)),
    ]);
    return { ...device, ...facts, ...content, children: orderPartitions(children) };
  };
  const devices = await Promise.all(parseLsblk(stdout).map(complete));
  return nestLoopDevices(devices, await readBackingFiles(devices));
}

/** Backing files of the loop devices, by the name of the loop device. */
async function readBackingFiles(devices: readonly BlockDevice[]): Promise<ReadonlyMap<string, string>> {
  const loops = devices.filter((device) => device.type === "loop");
  return new Map(
    await Promise.all(
      loops.map(async ({ name }) => [name, await readAttribute(`/sys/class/block/${name}/loop/backing_file`)] as const),
    ),
  );
}

let columnsOfThisLsblk: readonly string[] | undefined;

async function knownColumns(signal: AbortSignal | undefined): Promise<readonly string[]> {
  if (columnsOfThisLsblk === undefined) {
    const { stdout } = await runTool({
      tool: "lsblk",
      args: ["--help"],
      task: "list the block devices",
      signal,
    });
    columnsOfThisLsblk = selectColumns(stdout);
  }
  return columnsOfThisLsblk;
}

/** Whether nothing is known of the content. A drive without a medium has none; nor has what holders hide. */
function needsProbe(device: BlockDevice): boolean {
  return device.sizeBytes > 0 && device.type !== "rom" && device.filesystemType === "" && device.partitionTable === "";
}

/** A device that has gone in the meantime also yields nothing. */
async function probe(device: BlockDevice, signal: AbortSignal | undefined): Promise<Partial<BlockDevice>> {
  const { exitCode, stdout } = await runTool({
    tool: "blkid",
    args: renderBlkidArguments(device.path),
    task: `probe ${device.path}`,
    acceptedExitCodes: [0, blkidNothingFound, blkidAmbivalent],
    signal,
  });
  if (exitCode !== 0) return {};
  const content = parseBlkid(stdout);
  return {
    ...content,
    partitionUuid: device.partitionUuid || content.partitionUuid,
    partitionLabel: device.partitionLabel || content.partitionLabel,
  };
}

async function readSysfs(device: BlockDevice): Promise<Partial<BlockDevice>> {
  const attribute = (name: string) => readAttribute(`/sys/class/block/${device.name}/${name}`);
  if (device.type === "part") {
    const [partition, start] = await Promise.all([attribute("partition"), attribute("start")]);
    return { partitionNumber: Number(partition), startBytes: Number(start) * sysfsSectorBytes };
  }
  if (device.transport !== "mmc") return {};
  const [cid, name, serial] = await Promise.all([
    attribute("device/cid"),
    attribute("device/name"),
    attribute("device/serial"),
  ]);
  return { cid, model: device.model || name, serial: device.serial || serial };
}

/** An attribute of sysfs, empty when this device does not have it. */
async function readAttribute(path: string): Promise<string> {
  try {
    return (await readFile(path, "utf8")).trim();
  } catch {
    return "";
  }
}

/** Runs tasks with a concurrency limit. */
function createLimit(atOnce: number): <T>(task: () => Promise<T>) => Promise<T> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (task) => {
    if (running >= atOnce) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await task();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
