import { z } from "zod";
import type { InterfaceAddress } from "../network/interface-address.ts";
import { parseIpv4Network } from "../network/ipv4.ts";

/** One of this machine's network interfaces. */
export interface InterfaceFact {
  readonly name: string;
  readonly isUp: boolean;
  readonly hasCarrier: boolean;
  /** IPv4 and IPv6. */
  readonly addresses: readonly { readonly address: string; readonly prefixLength: number }[];
}

const listed = z.array(
  z.object({
    ifname: z.string(),
    flags: z.array(z.string()),
    addr_info: z.array(z.object({ local: z.string().optional(), prefixlen: z.number().optional() })),
  }),
);

/** Reads what `ip -json address` prints (iproute2). Throws what is wrong with it. */
export function parseInterfaces(text: string): readonly InterfaceFact[] {
  return listed.parse(JSON.parse(text)).map(({ ifname: name, flags, addr_info }) => ({
    name,
    isUp: flags.includes("UP"),
    hasCarrier: flags.includes("LOWER_UP"),
    addresses: addr_info.flatMap(({ local: address, prefixlen: prefixLength }) =>
      address === undefined || prefixLength === undefined ? [] : [{ address, prefixLength }],
    ),
  }));
}

/** The IPv4 addresses of the interfaces. */
export function ipv4AddressesOf(interfaces: readonly InterfaceFact[]): readonly InterfaceAddress[] {
  return interfaces.flatMap(({ name, addresses }) =>
    addresses.flatMap(({ address, prefixLength }) => {
      const network = parseIpv4Network(`${address}/${prefixLength}`);
      return network === undefined ? [] : [{ interface: name, address, network }];
    }),
  );
}
