import { readFile } from "node:fs/promises";
import type { MachineRole } from "./choose-offers.ts";
import { parseMachineRole } from "./parse-machine-role.ts";

/** What this machine is for the network at this moment. */
export async function readMachineRole(): Promise<MachineRole> {
  const paths = ["/proc/sys/net/ipv4/ip_forward", "/proc/net/route", "/etc/resolv.conf"];
  const [forward, routes, resolver] = await Promise.all(paths.map(readText));
  const sockets = await Promise.all(["/proc/net/udp", "/proc/net/udp6"].map(readText));
  return parseMachineRole({ forward: forward ?? "", routes: routes ?? "", resolver: resolver ?? "", sockets });
}

/** A file that is not there, without IPv6 or without a resolver, says nothing. */
function readText(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}
