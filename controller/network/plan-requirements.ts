import type { Requirements } from "../requirements/requirements.ts";
import type { DhcpConfig, NfsConfig } from "./network-config.ts";

/** What `serve` needs of this machine's packages, by its configuration; `serve --check` looks for the rest. */
export function planServe({
  dhcp,
  nfs,
}: {
  readonly dhcp: Pick<DhcpConfig, "mode">;
  readonly nfs: Pick<NfsConfig, "mode">;
}): Requirements {
  const ganesha = ["ganesha.nfsd", "/usr/lib/*/ganesha/libfsalvfs.so", "rpcbind", "/etc/services", "unshare"] as const;
  return {
    command: "serve",
    needs: [
      ...(dhcp.mode === "none" ? [] : (["dnsmasq", "setpriv"] as const)),
      ...(nfs.mode === "ganesha" ? ganesha : []),
      ...(nfs.mode === "kernel" ? (["exportfs"] as const) : []),
    ],
  };
}
