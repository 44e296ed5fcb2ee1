import path from "node:path";
import { Failure } from "../../../proto/failure.ts";
import { NotYet } from "../../refusal/not-yet.ts";
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
 * Exports the agent's root filesystem and makes sure that a node could mount it. Throws a Failure that says what is
 * missing where it could not.
 */
export async function openNfsService(options: NfsServiceOptions): Promise<Pick<NfsServer, "close">> {
  const { config, directory, clock, log } = options;
  const { mode } = config.nfs;
  if (mode === "none") throw new Failure("invalid", "NFS is off");
  const nfsExport = planExport(config, options.addresses);
  const server = await options.servers[mode]({ nfsExport, directory: path.join(directory, mode), clock, log });
  try {
    await options.probe({
      address: config.advertise,
      path: nfsExport.path,
      remedy: server.remedy,
      signal: new AbortController().signal,
    });
  } catch (error) {
    await server.close();
    throw error;
  }
  return server;
}

/** What to export to whom: the nodes' network, and this machine itself, for the probe. */
function planExport(
  { nfs, advertise }: NfsServiceOptions["config"],
  addresses: readonly InterfaceAddress[],
): NfsExport {
  const clients = nfs.clients === undefined ? networkOf(addresses, advertise) : parseIpv4Network(nfs.clients);
  const own = hostNetwork(advertise);
  if (nfs.rootfs === undefined || clients === undefined || own === undefined) {
    throw new NotYet(
      `cannot tell who may mount nfs.rootfs: ${describeAbsentAddress(advertise, "advertise")}; ` +
        `set nfs.clients to the network of the nodes. This machine has: ${describeAddresses(addresses)}`,
    );
  }
  return { path: nfs.rootfs, clients: [clients, own] };
}
