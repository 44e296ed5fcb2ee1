import { parseIpv4Network } from "../../../../controller/network/ipv4.ts";
import type { Content } from "../../../../controller/setup/content.ts";
import { consideredUnits } from "../../../../controller/setup/debian-units.ts";
import type { Link, SetupFacts, UnitState } from "../../../../controller/setup/facts.ts";
import { possiblePaths } from "../../../../controller/setup/render-files.ts";
import type { SetupChoice } from "../../../../controller/setup/setup-choice.ts";

export const uplink: Link = {
  name: "eth0",
  mac: "02:00:00:00:00:10",
  type: "ether",
  isWireless: false,
  isUp: true,
  hasCarrier: true,
  addresses: ["192.0.2.2/24"],
  ipv6Addresses: [],
};

export const rack: Link = {
  ...uplink,
  name: "eth1",
  mac: "02:00:00:00:00:11",
  isUp: false,
  hasCarrier: false,
  addresses: [],
};

/** The choice of the documentation. */
export const choice: SetupChoice = {
  rack: "eth1",
  uplink: "eth0",
  address: "10.77.0.1",
  network: parseIpv4Network("10.77.0.0/24") ?? { base: 0, prefixLength: 0 },
};

/** A unit that is there: of Debian, and not in use. */
export const idle: UnitState = { exists: true, isActive: false, isRestarting: false, enablement: "disabled" };
export const running: UnitState = { ...idle, isActive: true, enablement: "enabled" };

/** A fresh Debian 12 with the packages that a setup needs. */
export function freshMachine(): SetupFacts {
  const nowhere: UnitState = { exists: false, isActive: false, isRestarting: false, enablement: "" };
  const there = ["systemd-networkd.socket", "systemd-networkd.service", "nftables.service", "systemd-udevd.service"];
  return {
    isRoot: true,
    missing: [],
    links: [{ ...uplink, name: "lo", type: "loopback", addresses: ["127.0.0.1/8"] }, uplink, rack],
    routes: [
      { network: "0.0.0.0/0", device: "eth0" },
      { network: "192.0.2.0/24", device: "eth0" },
    ],
    units: new Map(
      consideredUnits.map((name) => [
        name,
        name === "chrony.service" ? running : there.includes(name) ? idle : nowhere,
      ]),
    ),
    files: new Map(),
    contents: new Map(possiblePaths.map((path): [string, Content] => [path, { kind: "absent" }])),
    ports: [],
    droppingChains: [],
    forwards: false,
    unwritable: [],
    hasProgram: true,
    packagedConfig: "# nothing yet\n",
    isPackaged: false,
    sources: { "pallet-controller.service": "[Service]\nExecStart=/usr/local/bin/controller serve\n" },
    hasUser: false,
  };
}

/** The same facts with some units otherwise. */
export function withUnits(facts: SetupFacts, states: Readonly<Record<string, UnitState>>): SetupFacts {
  return { ...facts, units: new Map([...facts.units, ...Object.entries(states)]) };
}
