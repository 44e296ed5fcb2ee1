import { z } from "zod";
import type { Link, Route } from "./facts.ts";

const links = z.array(
  z.object({
    ifname: z.string(),
    link_type: z.string(),
    address: z.string().optional(),
    permaddr: z.string().optional(),
    master: z.string().optional(),
    flags: z.array(z.string()),
    linkinfo: z.object({ info_kind: z.string().optional() }).optional(),
    addr_info: z.array(
      z.object({ family: z.string(), local: z.string().optional(), prefixlen: z.number().optional() }),
    ),
  }),
);

const routes = z.array(z.object({ dst: z.string(), dev: z.string().optional() }));

/**
 * Reads what `ip -json -details address` prints (iproute2).
 *
 * @param wireless names of those interfaces that are wireless (in /sys, not in this list)
 */
export function parseLinks(text: string, wireless: readonly string[]): readonly Link[] {
  return links.parse(JSON.parse(text)).map((each) => ({
    name: each.ifname,
    mac: each.address ?? "",
    ...(each.permaddr !== undefined && { permanentMac: each.permaddr }),
    type: each.link_type,
    ...(each.linkinfo?.info_kind !== undefined && { kind: each.linkinfo.info_kind }),
    ...(each.master !== undefined && { controller: each.master }),
    isWireless: wireless.includes(each.ifname),
    isUp: each.flags.includes("UP"),
    hasCarrier: each.flags.includes("LOWER_UP"),
    addresses: each.addr_info.flatMap(({ family, local, prefixlen }) =>
      family === "inet" && local !== undefined ? [`${local}/${prefixlen ?? 32}`] : [],
    ),
    ipv6Addresses: each.addr_info.flatMap(({ family, local }) =>
      family === "inet6" && local !== undefined ? [local] : [],
    ),
  }));
}

/**
 * Reads what `ip -json route` prints.
 *
 * @param everything the network of a default route: 0.0.0.0/0, or ::/0 for `ip -6`
 */
export function parseRoutes(text: string, everything = "0.0.0.0/0"): readonly Route[] {
  return routes.parse(JSON.parse(text.trim() === "" ? "[]" : text)).flatMap(({ dst, dev }) => {
    if (dev === undefined) return [];
    const network = dst === "default" ? everything : dst.includes("/") ? dst : `${dst}/32`;
    return [{ network, device: dev }];
  });
}
