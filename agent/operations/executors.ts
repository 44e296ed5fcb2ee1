import { realpath } from "node:fs/promises";
import { Failure } from "../../proto/failure.ts";
import { type GuardRequest, guardDisk } from "../disk/guard.ts";
import { identify } from "../disk/identify.ts";
import { makeFilesystem } from "../disk/make-filesystem.ts";
import { unmount } from "../disk/unmount.ts";
import { wipe } from "../disk/wipe.ts";
import type { BlockDevice } from "../inventory/block-device.ts";
import type { RootDevice } from "../inventory/node-facts.ts";
import type { Executors } from "./executor.ts";

/** What the executors learn of the node. */
export interface ExecutorParts {
  readonly readBlockDevices: (signal?: AbortSignal) => Promise<readonly BlockDevice[]>;
  readonly readRootDevice: () => Promise<RootDevice>;
}

/** The executor of every kind of work. Each asks the guard twice: before the work begins, and again when it does. */
export function createExecutors(parts: ExecutorParts): Executors {
  const guard = async (request: Omit<GuardRequest, "resolvedPath" | "root">, signal: AbortSignal) => {
    const [devices, root, resolvedPath] = await Promise.all([
      parts.readBlockDevices(signal),
      parts.readRootDevice(),
      realpath(request.path).catch(() => undefined),
    ]);
    return guardDisk(devices, { ...request, root, resolvedPath });
  };

  return {
    "write-image": {
      async admit({ device, source }, signal) {
        await guard({ path: device, minBytes: source.sizeBytes }, signal);
      },
      async run() {
        throw new Failure("unsupported", "writing images is being built");
      },
    },

    "verify-image": {
      async admit({ device, source }, signal) {
        await guard({ path: device, minBytes: source.sizeBytes }, signal);
      },
      async run() {
        throw new Failure("unsupported", "verifying images is being built");
      },
    },

    "make-filesystem": {
      async admit({ device }, signal) {
        await guard({ path: device, allowPartition: true }, signal);
      },
      async run({ device: path, type, label }, { signal, progress }) {
        const device = await guard({ path, allowPartition: true }, signal);
        progress.enter("formatting");
        await makeFilesystem({ device, type, label, signal });
      },
    },

    wipe: {
      async admit({ device }, signal) {
        await guard({ path: device }, signal);
      },
      async run({ device: path, method }, { signal, progress }) {
        const device = await guard({ path }, signal);
        progress.enter("wiping");
        await wipe({ device, method, signal });
      },
    },

    unmount: {
      async admit({ device }, signal) {
        await guard({ path: device, allowPartition: true, allowMounted: true }, signal);
      },
      async run({ device: path }, { signal, progress }) {
        const device = await guard({ path, allowPartition: true, allowMounted: true }, signal);
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
