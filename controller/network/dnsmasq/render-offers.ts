import type { MachineRole, Offers } from "./choose-offers.ts";

/** What nodes are offered besides their addresses, and why something is not, in one line. */
export function renderOffers(
  { router, time, dns, relay }: Offers,
  { nameServers }: Pick<MachineRole, "nameServers">,
): string {
  const upstream = relay === "resolv.conf" ? nameServers : relay;
  const relayed =
    upstream === undefined ? "" : ` (relay to ${upstream.join(", ") || "nobody: /etc/resolv.conf names no server"})`;
  return [
    `router ${"address" in router ? router.address : `none: ${router.none}`}`,
    `DNS ${"servers" in dns ? dns.servers.join(", ") + relayed : `none: ${dns.none}`}`,
    `time ${"servers" in time ? time.servers.join(", ") : `none: ${time.none}`}`,
  ].join("; ");
}
