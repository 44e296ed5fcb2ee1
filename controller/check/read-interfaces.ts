import { networkInterfaces } from "node:os";
import { execa } from "../../proto/linux/leashed-execa.ts";
import { systemEnvironment } from "../network/supervise-process.ts";
import { type InterfaceFact, parseInterfaces } from "./parse-interfaces.ts";

/**
 * This machine's network interfaces, including those that are down or have no link. Node does not list these, and
 * /sys may belong to another network namespace; so if ip(8) is not installed, only the others are listed.
 */
export async function readInterfaces(): Promise<readonly InterfaceFact[]> {
  const { failed, stdout } = await execa("ip", ["-json", "address"], { reject: false, env: systemEnvironment });
  if (!failed) return parseInterfaces(stdout);
  return Object.entries(networkInterfaces()).map(([name, addresses = []]) => ({
    name,
    isUp: true,
    hasCarrier: true,
    addresses: addresses.map(({ address, cidr }) => ({ address, prefixLength: Number(cidr?.split("/")[1] ?? 32) })),
  }));
}
