import { stat } from "node:fs/promises";
import { Failure, messageOf } from "../../proto/failure.ts";
import type { Customisation } from "../../proto/operation/operation-spec.ts";
import { identityPaths } from "../../proto/system/agent-identity.ts";
import { renderStamp, stampPath } from "../../proto/system/installed-system.ts";
import { noResidentProgram } from "../../proto/system/judge-resident.ts";
import { renderResidentSettings, residentSettingsPath } from "../../proto/system/resident-settings.ts";
import { flushBuffers } from "../linux/flush-buffers.ts";
import { throwIfCancelled } from "../linux/run-tool.ts";
import { type Configuration, prepareConfiguration } from "./configure-system.ts";
import { disarmFirmware } from "./disarm-firmware.ts";
import { installResident } from "./install-resident.ts";
import { placeFile, placeOf, removeFile } from "./place-file.ts";
import { withMountedRoot } from "./with-mounted-root.ts";

/** What to place where. */
export interface Customise extends Customisation {
  /** Path of the whole disk that holds the image, without a partition table yet. */
  readonly device: string;
  /** Path of the program to install as the resident agent, when one is to be installed. */
  readonly residentProgram?: string | undefined;
  /**
   * Gets the text of the file that the resident agent proves by who it is; it may resolve with none. Absent where there
   * are no certificates.
   */
  readonly residentIdentity?: ((signal: AbortSignal) => Promise<string | undefined>) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The root filesystem of the new system. */
type Root = NonNullable<Customisation["root"]>;

/** What became of it. */
export interface Customised {
  /** Public host keys that the system has got, as "ssh-ed25519 AAAA…"; absent if a config gave it none. */
  readonly hostKeys?: readonly string[];
}

/**
 * Configures the new system when that is asked for, after all of it was checked against what the system has. Installs the
 * resident agent into the new system when that is asked for, with the settings that it goes by when its board boots without our words (/etc/pallet/agent.json) and what it proves by who it is (/etc/pallet/identity/agent.pem,
 * root's alone), and then places the stamp into it as
 * /etc/pallet/installed.json; keeps the board's firmware from booting the disk when that is asked for. Partitions are
 * reached by their offsets, because the partition table is written last. Whatever happens, the filesystem is unmounted
 * before this returns, and the device's cache is flushed, so that O_DIRECT reads see it.
 *
 * Throws a Failure: `unsupported` when the agent is asked for and cannot be installed, `too-small` when it finds no
 * room, `invalid` when the filesystem is not one of a system, `verify-mismatch` when the firmware could still boot the
 * disk, `device-error`, `tool-failed`, `cancelled`.
 */
export async function customise(request: Customise): Promise<Customised> {
  const { device, root, stamp, diskFirmware, signal } = request;
  const customised = root !== undefined && stamp !== undefined ? await placeIntoSystem(request, root, stamp) : {};
  if (diskFirmware !== undefined) await disarmFirmware({ device, firmware: diskFirmware, signal });
  return customised;
}

async function placeIntoSystem(
  request: Customise,
  root: Root,
  stamp: NonNullable<Customisation["stamp"]>,
): Promise<Customised> {
  const { device, settings, system, signal } = request;
  const program = programToInstall(request);
  // Asked for before anything is mounted: the controller may be away for a while.
  const identity = program && (await request.residentIdentity?.(signal ?? new AbortController().signal));
  let configuration: Configuration | undefined;
  await withMountedRoot(device, root, async (folder) => {
    if (system !== undefined)
      await placing("configure the system", device, signal, async () => {
        const otherBytes = program === undefined ? 0 : (await stat(program)).size;
        configuration = await prepareConfiguration({
          root: folder,
          config: system,
          digest: stamp.config ?? "",
          otherBytes,
        });
      });
    if (program !== undefined)
      await placing("install the resident agent", device, signal, () =>
        installResident({ root: folder, program, signal }),
      );
    if (configuration !== undefined) {
      const { apply } = configuration;
      await placing("configure the system", device, signal, () => apply(signal));
    }
    if (settings !== undefined)
      await placing(`write ${residentSettingsPath}`, device, signal, () =>
        placeFile({ root: folder, ...placeOf(residentSettingsPath), content: renderResidentSettings(settings) }),
      );
    if (program !== undefined)
      await placing(`write ${identityPaths.resident}`, device, signal, () =>
        // Never the one that an image brought along: it is another node's.
        identity === undefined
          ? removeFile({ root: folder, ...placeOf(identityPaths.resident) })
          : placeFile({ root: folder, ...placeOf(identityPaths.resident), content: identity, mode: 0o600 }),
      );
    await placing(`write ${stampPath}`, device, signal, () =>
      placeFile({ root: folder, ...placeOf(stampPath), content: renderStamp(stamp) }),
    );
  });
  await flushBuffers({ device, signal });
  const { hostKeys = [] } = configuration ?? {};
  return hostKeys.length === 0 ? {} : { hostKeys };
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
    // Linux says EUCLEAN, which Node.js has no name for.
    const isDamaged = error instanceof Error && "errno" in error && error.errno === -117;
    const words = isDamaged ? "its filesystem is damaged: check it in the image (fsck)" : messageOf(error);
    throw new Failure("device-error", `cannot ${task} into the new system on ${device}: ${words}`, { cause: error });
  }
}
