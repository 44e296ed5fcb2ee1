import { demandOfImage } from "../../proto/disk/demand-of-image.ts";
import { identify } from "../board/identify.ts";
import { customise, programToInstall } from "../customise/customise.ts";
import { growFilesystem } from "../customise/grow-filesystem.ts";
import { replaceCardIds } from "../customise/replace-card-ids.ts";
import type { admitDevice } from "../disk/admit-device.ts";
import { makeFilesystem } from "../disk/make-filesystem.ts";
import { announcePartitions, erasePartitionTable } from "../disk/partition-table.ts";
import { unmount } from "../disk/unmount.ts";
import { wipe } from "../disk/wipe.ts";

import type { FetchSettings } from "../fetch/fetch-range.ts";
import type { Executors } from "../operations/executor.ts";
import { openDevice } from "../write/open-device.ts";
import { verifyImage } from "../write/verify-image.ts";
import { type WriteImageParts, writeImage } from "../write/write-image.ts";

/** What the executors need from the node. */
export interface ExecutorParts {
  /** Reads the devices and has the guard decide on one. */
  readonly admitDevice: typeof admitDevice;
  readonly fetchSettings: FetchSettings;
  /** Path of the program to install as the resident agent; undefined when there is none. */
  readonly residentProgram: string | undefined;
  /** Gets the identity of a new system's resident agent; see placeIdentity. Absent where there are no certificates. */
  readonly residentIdentity?: ((signal: AbortSignal) => Promise<string | undefined>) | undefined;
}

/**
 * The executor of every kind of work. Each asks the guard twice: before the work is accepted, and again when it begins.
 */
export function createExecutors(parts: ExecutorParts): Executors {
  const { admitDevice, fetchSettings, residentProgram, residentIdentity } = parts;
  const write: WriteImageParts = {
    guard: (path, imageBytes, signal) => admitDevice(demandOfImage(path, imageBytes), signal),
    eraseTable: ({ path: device, handle }, range, signal) => erasePartitionTable({ device, handle, ...range, signal }),
    customise: (device, customisation, signal) =>
      customise({ device, ...customisation, residentProgram, residentIdentity, signal }),
    growFilesystem: (device, { lengthBytes: oldBytes, ...growth }, lengthBytes, signal) =>
      growFilesystem({ device, ...growth, oldBytes, lengthBytes, signal }),
    replaceIds: (device, ids, changes, signal) => replaceCardIds({ device, ids, changes, signal }),
    announcePartitions,
    openDevice,
    fetchSettings,
  };

  return {
    "write-image": {
      async admit({ device, source, customisation }, signal) {
        if (customisation !== undefined) programToInstall({ ...customisation, residentProgram });
        await write.guard(device, source.sizeBytes, signal);
      },
      run: (spec, context) => writeImage(spec, write, context),
    },

    "verify-image": {
      async admit({ device, source }, signal) {
        await write.guard(device, source.sizeBytes, signal);
      },
      run: (spec, context) => verifyImage(spec, write, context),
    },

    "make-filesystem": {
      async admit({ device }, signal) {
        await admitDevice({ path: device, allowPartition: true }, signal);
      },
      async run({ device: path, type, label }, { signal, progress }) {
        const device = await admitDevice({ path, allowPartition: true }, signal);
        progress.enter("formatting");
        await makeFilesystem({ device, type, label, signal });
      },
    },

    wipe: {
      async admit({ device }, signal) {
        await admitDevice({ path: device }, signal);
      },
      async run({ device: path, method }, { signal, progress }) {
        const device = await admitDevice({ path }, signal);
        progress.enter("wiping");
        await wipe({ device, method, signal });
      },
    },

    unmount: {
      async admit({ device }, signal) {
        await admitDevice({ path: device, allowPartition: true, purpose: "unmount" }, signal);
      },
      async run({ device: path }, { signal, progress }) {
        const device = await admitDevice({ path, allowPartition: true, purpose: "unmount" }, signal);
        progress.enter("unmounting");
        await unmount({ device, signal });
      },
    },

    identify: {
      async admit() {},
      async run({ durationMs }, { signal, progress }) {
        progress.enter("identifying");
        await identify({ durationMs, signal });
      },
    },
  };
}
