import { mkdir, mkdtemp, rmdir } from "node:fs/promises";
import { basename } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure, messageOf } from "../../proto/failure.ts";
import { renderForeignMount } from "../../proto/linux/render-foreign-mount.ts";
import type { Customisation } from "../../proto/operation/operation-spec.ts";
import { renderStamp, stampPath } from "../../proto/system/installed-system.ts";
import { noResidentProgram } from "../../proto/system/judge-resident.ts";
import { flushBuffers } from "../linux/flush-buffers.ts";
import { runTool, throwIfCancelled } from "../linux/run-tool.ts";
import { disarmFirmware } from "./disarm-firmware.ts";
import { installResident } from "./install-resident.ts";
import { placeFile, placeOf } from "./place-file.ts";

/** What to place where. */
export interface Customise extends Customisation {
  /** Path of the whole disk that holds the image, without a partition table yet. */
  readonly device: string;
  /** Path of the program to install as the resident agent, when one is to be installed. */
  readonly residentProgram?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Root of the private folders to mount at; the next ones are made below it. */
const mountRoot = "/run/pallet";

/** Waits between attempts to unmount while something (udev, an indexer) has the filesystem open. */
const unmountRetriesMs = [50, 100, 200, 400, 800, 1600];

/** The root filesystem of the new system. */
type Root = NonNullable<Customisation["root"]>;

/**
 * Installs the resident agent into the new system when that is asked for, and then places the stamp into it as
 * /etc/pallet/installed.json; keeps the board's firmware from booting the disk when that is asked for. Partitions are
 * reached by their offsets, because the partition table is written last. Whatever happens, the filesystem is unmounted
 * before this returns, and the device's cache is flushed, so that O_DIRECT reads see it.
 *
 * Throws a Failure: `unsupported` when the agent is asked for and cannot be installed, `too-small` when it finds no
 * room, `invalid` when the filesystem is not one of a system, `verify-mismatch` when the firmware could still boot the
 * disk, `device-error`, `tool-failed`, `cancelled`.
 */
export async function customise(request: Customise): Promise<void> {
  const { device, root, stamp, diskFirmware, signal } = request;
  if (root !== undefined && stamp !== undefined) await placeIntoSystem(request, root, stamp);
  if (diskFirmware !== undefined) await disarmFirmware({ device, firmware: diskFirmware, signal });
}

async function placeIntoSystem(
  request: Customise,
  root: Root,
  stamp: NonNullable<Customisation["stamp"]>,
): Promise<void> {
  const { device, signal } = request;
  checkRoot(root);
  const program = programToInstall(request);
  await withMount(device, root, async (folder) => {
    if (program !== undefined)
      await placing("install the resident agent", device, signal, () =>
        installResident({ root: folder, program, signal }),
      );
    await placing(`write ${stampPath}`, device, signal, () =>
      placeFile({ root: folder, ...placeOf(stampPath), content: renderStamp(stamp) }),
    );
  });
  await flushBuffers({ device, signal });
}

/** The program to install; undefined when none is asked for. Throws a Failure `unsupported` when there is none. */
export function programToInstall({
  resident,
  residentProgram,
}: Pick<Customise, "resident" | "residentProgram">): string | undefined {
  if (!resident) return undefined;
  if (residentProgram !== undefined) return residentProgram;
  throw noResidentProgram();
}

/** This becomes a mount option: nothing else may slip in with it. */
function checkRoot({ offsetBytes, lengthBytes, filesystemType }: Root): void {
  if (!/^[a-z0-9_]+$/.test(filesystemType))
    throw new Failure("invalid", `${JSON.stringify(filesystemType)} is not the name of a filesystem`);
  if (!Number.isSafeInteger(offsetBytes) || !Number.isSafeInteger(lengthBytes) || offsetBytes < 0 || lengthBytes <= 0)
    throw new Failure("invalid", `a root partition of ${lengthBytes} bytes at ${offsetBytes} is impossible`);
}

/** Adds the task to a filesystem error. */
async function placing(
  task: string,
  device: string,
  signal: AbortSignal | undefined,
  place: () => Promise<void>,
): Promise<void> {
  try {
    throwIfCancelled(signal, task);
    await place();
  } catch (error) {
    throwIfCancelled(signal, task);
    if (error instanceof Failure) throw error;
    const words = messageOf(error);
    throw new Failure("device-error", `cannot ${task} into the new system on ${device}: ${words}`, { cause: error });
  }
}

/**
 * Mounts the filesystem at an offset of a device for the time of `use`. mount(8) sets up the loop device so that the
 * kernel detaches it with the unmount, or when the last process of this mount namespace has died.
 */
async function withMount(device: string, root: Root, use: (folder: string) => Promise<void>): Promise<void> {
  await mkdir(mountRoot, { recursive: true });
  const { type, options } = renderForeignMount(root, "write");
  const folder = await mkdtemp(`${mountRoot}/customise-${basename(device)}-`);
  try {
    // Not to be cancelled: mount(8) ended by a signal may have mounted already, and nobody would unmount it.
    await runTool({
      tool: "mount",
      args: ["--types", type, "--options", options, "--source", device, "--target", folder],
      task: `mount the ${root.filesystemType} root filesystem at byte ${root.offsetBytes} of ${device}`,
    });
    try {
      await use(folder);
    } finally {
      await unmountInsistently(folder, device);
    }
  } finally {
    await rmdir(folder);
  }
}

/** Not to be cancelled: a filesystem left mounted would write to the disk later. */
async function unmountInsistently(folder: string, device: string): Promise<void> {
  const attempt = () =>
    runTool({
      tool: "umount",
      args: ["--", folder],
      task: `unmount the root filesystem of the new system on ${device}`,
    });
  for (const delayMs of unmountRetriesMs) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (!(error instanceof Failure) || !/busy/i.test(error.message)) throw error;
      await sleep(delayMs);
    }
  }
  await attempt();
}
