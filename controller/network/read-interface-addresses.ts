import { networkInterfaces } from "node:os";
import type { InterfaceAddress } from "./interface-address.ts";
import { parseIpv4Network } from "./ipv4.ts";

/** The IPv4 addresses that this machine's interfaces have at this moment. */
export function readInterfaceAddresses(): readonly InterfaceAddress[] {
  return Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
    addresses.flatMap(({ family, address, cidr }) => {
      const network = family === "IPv4" && cidr !== null ? parseIpv4Network(cidr) : undefined;
      return network === undefined ? [] : [{ interface: name, address, network }];
    }),
  );
}
