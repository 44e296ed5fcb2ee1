import type { DnsmasqSettings } from "../../../../../controller/network/dnsmasq/render-dnsmasq.ts";

/** A server on 10.77.0.0/24 that is told everything. */
export const everything: DnsmasqSettings = {
  mode: "server",
  interface: "eth0",
  address: "10.77.0.1",
  subnet: { base: 0x0a4d0000, prefixLength: 24 },
  range: ["10.77.0.100", "10.77.0.200"],
  gateway: "10.77.0.254",
  leaseSeconds: 43_200,
  replyDelaySeconds: 2,
  dns: ["192.0.2.1", "192.0.2.2"],
  ntp: ["192.0.2.123"],
  relay: ["192.0.2.53"],
  domain: "rack.example",
  tftpServer: "10.77.0.1",
  files: {
    leases: "/var/lib/pallet/dnsmasq/leases",
    hosts: "/var/lib/pallet/dnsmasq/hosts",
    names: "/var/lib/pallet/dnsmasq/names",
    processId: "/var/lib/pallet/dnsmasq/pid",
  },
};
