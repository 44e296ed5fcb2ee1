import type { Facts } from "../../../../controller/check/facts.ts";
import { neededFirmware, neededUBoot } from "../../../../controller/check/select-boot-tree-problems.ts";
import type { Config } from "../../../../controller/config/config.ts";
import { parseConfigFile } from "../../../../controller/config/parse-config-file.ts";
import { resolveConfig } from "../../../../controller/config/resolve-config.ts";

/** The documented configuration, with further lines. */
export function someConfig(more = ""): Config {
  const file = "listen: 10.0.0.1\ndhcp: {mode: server, interface: eth1}\nnfs: {mode: ganesha}\n";
  const result = resolveConfig([parseConfigFile(more, "/etc/more.yaml"), parseConfigFile(file, "/etc/pallet.yaml")]);
  if (!result.ok) throw new Error(result.problems.join("\n"));
  return result.config;
}

const release = "6.1.0-28-arm64";

/** A machine on which all is as it should be. */
export const goodFacts: Facts = {
  isRoot: true,
  user: "root",
  inaccessible: [],
  clock: { systemMs: Date.UTC(2026, 10, 30), isSynchronised: true, file: "/var/lib/pallet/time" },
  hasBroker: false,
  capabilities: ["net_bind_service", "net_admin", "net_raw"],
  missing: [],
  interfaces: [
    { name: "lo", isUp: true, hasCarrier: true, addresses: [{ address: "127.0.0.1", prefixLength: 8 }] },
    { name: "eth0", isUp: true, hasCarrier: true, addresses: [{ address: "192.0.2.7", prefixLength: 24 }] },
    { name: "eth1", isUp: true, hasCarrier: true, addresses: [{ address: "10.0.0.1", prefixLength: 24 }] },
  ],
  ports: [],
  bootTree: { sizes: new Map([...neededFirmware, neededUBoot].map((path) => [path, 1])) },
  kernel: { path: "agent/vmlinuz", format: "image", release },
  initrd: { path: "agent/initrd.img", exists: true, releases: [release] },
  rootfs: {
    path: "/var/lib/pallet/rootfs/root",
    isFolder: true,
    hasInit: true,
    releases: [release],
    hasAgent: true,
    contract: "pallet-contract-1",
  },
  hooks: [],
  contract: "pallet-contract-1",
  freeBytes: 2 ** 34,
};
