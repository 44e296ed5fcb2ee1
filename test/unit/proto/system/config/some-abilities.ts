import type { SystemAbilities } from "../../../../../proto/system/config/abilities.ts";

/** A system with systemd that can be told little, and what is other of it. */
export function abilitiesOf(other: Partial<SystemAbilities> = {}): SystemAbilities {
  return {
    init: "systemd",
    distribution: "debian",
    users: [{ name: "root", uid: 0, gid: 0, home: "/root" }],
    groups: [{ name: "root", gid: 0 }],
    shells: ["/bin/sh"],
    sudo: false,
    timezones: false,
    locales: [],
    network: {},
    cloudInit: false,
    units: {},
    radios: [],
    has: [],
    ...other,
  };
}
