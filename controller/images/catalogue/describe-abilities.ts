import type { SystemAbilities } from "../../../proto/system/config/abilities.ts";

/** What profiles can change in a system, a line each. */
export function describeAbilities(abilities: SystemAbilities): readonly string[] {
  const { init, network, ssh, sudo, timezones, locales, keyboard, cloudInit } = abilities;
  const yes = (what: string, has: boolean): string => `${what}: ${has ? "yes" : "no"}`;
  return [
    `service manager: ${init}`,
    `network: ${network.manager ?? "unknown"}${network.wifi === undefined ? "" : `, Wi-Fi by ${network.wifi}`}`,
    `SSH server: ${ssh?.server ?? "none"}`,
    yes("sudo", sudo),
    yes("time zones", timezones),
    `locales: ${locales.length === 0 ? "none" : locales.join(" ")}`,
    `keyboard: ${keyboard ?? "unknown"}`,
    yes("cloud-init", cloudInit),
  ];
}
