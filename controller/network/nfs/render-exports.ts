import { Failure } from "../../../proto/failure.ts";
import { formatIpv4Network, type Ipv4Network } from "../ipv4.ts";
import { writtenBy } from "../written-by.ts";

/** One folder that nodes may read over NFS. */
export interface NfsExport {
  /** Absolute path of it. What lies in it can be mounted by its own path. */
  readonly path: string;
  /**
   * Absolute path of a folder in it that an older Pallet exported by itself: the kernel's NFS server has put that export
   * into the file handles of the nodes that still run from it.
   */
  readonly olderPath?: string;
  /** Who may read it. */
  readonly clients: readonly Ipv4Network[];
}

/**
 * Renders a file of /etc/exports.d (exports(5)). Nothing may be written; root may read everything (no_root_squash),
 * because what only root may read is part of a root filesystem.
 */
export function renderExports(nfsExport: NfsExport): string {
  assertExport(nfsExport);
  const options = "(ro,no_root_squash,no_subtree_check,async,insecure)";
  const clients = nfsExport.clients.map((network) => `${formatIpv4Network(network)}${options}`);
  const paths = [nfsExport.path, ...(nfsExport.olderPath === undefined ? [] : [nfsExport.olderPath])];
  return [writtenBy, ...paths.map((path) => `${path} ${clients.join(" ")}`), ""].join("\n");
}

/** Throws Failure "invalid" for what no configuration file of an NFS server carries as it is. */
export function assertExport({ path, clients }: NfsExport): void {
  if (!/^\/[A-Za-z0-9_.+/-]*$/.test(path)) {
    throw new Failure("invalid", `${JSON.stringify(path)} cannot be exported: it has a character that needs quoting`);
  }
  if (clients.length === 0) throw new Failure("invalid", `no client may mount ${path}: an export needs at least one`);
}
