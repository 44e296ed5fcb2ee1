import { parseSockets } from "../parse-sockets.ts";
import type { MachineRole } from "./choose-offers.ts";

/** Texts of the files that tell what this machine is for the network; empty for those that are not there. */
export interface MachineFiles {
  /** /proc/sys/net/ipv4/ip_forward */
  readonly forward: string;
  /** /proc/net/route */
  readonly routes: string;
  /** /proc/net/udp and /proc/net/udp6 */
  readonly sockets: readonly string[];
  /** /etc/resolv.conf */
  readonly resolver: string;
}

/** Flag RTF_UP of linux/route.h. */
const up = 1;

/** Reads what this machine is for the network. */
export function parseMachineRole({ forward, routes, sockets, resolver }: MachineFiles): MachineRole {
  const wayOut = parseDefaultRoute(routes);
  return {
    forwards: forward.trim() === "1",
    ...(wayOut !== undefined && { wayOut }),
    // resolv.conf(5): a keyword in the first column, one address.
    nameServers: [...resolver.matchAll(/^nameserver[ \t]+(\S+)/gm)].map(([, server = ""]) => server),
    timeAddresses: sockets
      .flatMap((text) => parseSockets(text, "UDP"))
      .filter(({ port }) => port === 123)
      .map(({ address }) => address),
  };
}

/** The interface of the default route with the least metric, of /proc/net/route (proc_pid_net(5)). */
function parseDefaultRoute(text: string): string | undefined {
  const routes = text.split("\n").flatMap((line) => {
    const [device, destination, , flags = "0", , , metric, mask] = line.trim().split(/\s+/);
    const isDefault = destination === "00000000" && mask === "00000000" && (Number.parseInt(flags, 16) & up) !== 0;
    return device !== undefined && isDefault ? [{ device, metric: Number(metric) }] : [];
  });
  return routes.toSorted((one, other) => one.metric - other.metric)[0]?.device;
}
