import path from "node:path";
import { Failure } from "../../../proto/failure.ts";
import { NotYet } from "../../refusal/not-yet.ts";
import { locateRoots, readCurrentRoot, readRoot } from "../../roots/read-roots.ts";
import { flatRoot } from "../../roots/root-id.ts";
import { rootFolderOf } from "../../roots/root-paths.ts";
import {
  describeAbsentAddress,
  describeAddresses,
  hostNetwork,
  type InterfaceAddress,
  networkOf,
} from "../interface-address.ts";
import { parseIpv4Network } from "../ipv4.ts";
import type { NfsConfig, NfsMode } from "../network-config.ts";
import type { NfsServer, NfsServerOptions, StartNfsServer } from "./nfs-server.ts";
import type { NfsProbe } from "./probe-nfs.ts";
import type { NfsExport } from "./render-exports.ts";

export interface NfsServiceOptions extends Pick<NfsServerOptions, "clock" | "log"> {
  readonly config: { readonly nfs: NfsConfig; readonly advertise: string };
  /** Folder for the server's files. */
  readonly directory: string;
  readonly addresses: readonly InterfaceAddress[];
  readonly servers: Readonly<Record<Exclude<NfsMode, "none">, StartNfsServer>>;
  probe(probe: NfsProbe): Promise<void>;
}

/**
 * Exports the agent's root filesystem and makes sure that a node could mount it. Of a store of versions the whole store is
 * exported, once: a new version is there for new boots without a word to the server, and the older ones stay for the nodes
 * that run from them. Throws a Failure that says what is missing where no node could mount any.
 */
export async function openNfsService(options: NfsServiceOptions): Promise<Pick<NfsServer, "close">> {
  const { config, clock, log } = options;
  if (config.nfs.mode === "none") throw new Failure("invalid", "NFS is off");
  let plan = await planExport(config, options.addresses);
  let server = await open(options, plan);
  const closed = new AbortController();
  /** Only where nfs.rootfs becomes a store, or none: a new version in one changes nothing here. */
  const follow = async (): Promise<void> => {
    const next = await planExport(config, options.addresses).catch((error: unknown) => {
      // It is just being replaced.
      if (error instanceof NotYet) return plan;
      throw error;
    });
    if (next.path === plan.path || closed.signal.aborted) return;
    log.info({ folder: next.path }, "nfs.rootfs is now in another folder: exporting that");
    await server.close();
    server = await open(options, next);
    plan = next;
  };
  const followAgain = (): void => {
    const run = (): void => {
      following = follow()
        .catch((error: unknown) => log.error({ err: error }, "could not export what nfs.rootfs is now"))
        .finally(followAgain);
    };
    clock.setTimeout(run, followEveryMs, closed.signal);
  };
  let following: Promise<void> = Promise.resolve();
  followAgain();
  return {
    async close() {
      closed.abort();
      await following;
      await server.close();
    },
  };
}

async function open(
  { config, directory, clock, log, servers, probe }: NfsServiceOptions,
  { mountPath, ...nfsExport }: PlannedExport,
): Promise<NfsServer> {
  const { mode } = config.nfs;
  if (mode === "none") throw new Failure("invalid", "NFS is off");
  const server = await servers[mode]({ nfsExport, directory: path.join(directory, mode), clock, log });
  try {
    await probe({
      address: config.advertise,
      path: mountPath,
      remedy: server.remedy,
      signal: new AbortController().signal,
    });
  } catch (error) {
    await server.close();
    throw error;
  }
  return server;
}

/** How often to check whether nfs.rootfs is still in the folder that is exported, in milliseconds. */
const followEveryMs = 5000;

/** What is exported, and what of it a node could mount now. */
type PlannedExport = NfsExport & { readonly mountPath: string };

/**
 * What to export to whom: the nodes' network, and this machine itself, for the probe. Throws NotYet where that is not known, or there is
 * nothing to export.
 */
export async function planExport(
  { nfs, advertise }: NfsServiceOptions["config"],
  addresses: readonly InterfaceAddress[],
): Promise<PlannedExport> {
  const clients = nfs.clients === undefined ? networkOf(addresses, advertise) : parseIpv4Network(nfs.clients);
  const own = hostNetwork(advertise);
  if (nfs.rootfs === undefined || clients === undefined || own === undefined) {
    throw new NotYet(
      `cannot tell who may mount nfs.rootfs: ${describeAbsentAddress(advertise, "advertise")}; ` +
        `set nfs.clients to the network of the nodes. This machine has: ${describeAddresses(addresses)}`,
    );
  }
  const who = { clients: [clients, own] };
  const location = await locateRoots(nfs.rootfs);
  if (location.kind !== "store") {
    const folder = location.kind === "plain" ? location.rootFolder : nfs.rootfs;
    return { path: folder, ...who, mountPath: folder };
  }
  const { store } = location;
  const current = await readCurrentRoot(store);
  if (current === undefined)
    throw new NotYet(`there is no finished root filesystem in ${store} yet; make one with "controller rootfs build"`);
  const hasFlat = (await readRoot(store, flatRoot)) !== undefined;
  return {
    ...{ path: store, ...who, mountPath: current.rootFolder },
    ...(hasFlat && { olderPath: rootFolderOf(store, flatRoot) }),
  };
}
