import { join } from "node:path";
import { openDhcpService } from "../network/dnsmasq/dhcp-service.ts";
import { openNfsService } from "../network/nfs/nfs-service.ts";
import type { State } from "./open-state.ts";
import type { Stage } from "./stage.ts";

/** Opens the other services for the nodes' network, each as soon as possible. */
export async function openNetworkServices(
  { config, adapters, patience, running }: Stage,
  { nodes, events }: State,
): Promise<void> {
  const { monotonicClock: clock, log } = adapters;
  const nfsUp = patience.until("NFS", async () => {
    if (config.nfs.mode === "none") return;
    const nfs = await openNfsService({
      config,
      directory: join(config.stateDirectory, "nfs"),
      addresses: adapters.interfaceAddresses(),
      servers: adapters.nfsServers,
      probe: adapters.probeNfs,
      clock,
      log,
    });
    running.defer(() => nfs.close());
  });
  // A node that boots from its card needs no NFS: while that waits, DHCP does not.
  await nfsUp.first;
  // Last: from here on nodes are sent here to boot.
  const dhcpUp = patience.until("DHCP", async () => {
    if (config.dhcp.mode === "none") return;
    const dhcp = await openDhcpService({
      config,
      directory: join(config.stateDirectory, "dnsmasq"),
      addresses: adapters.interfaceAddresses(),
      machine: await adapters.machineRole(),
      nodes,
      events,
      clock,
      log,
      startDnsmasq: adapters.startDnsmasq,
    });
    running.defer(() => dhcp.close());
  });
  await Promise.all([nfsUp.opened, dhcpUp.opened]);
}
