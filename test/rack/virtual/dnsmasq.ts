import { writeFile } from "node:fs/promises";
import path from "node:path";
import { createConsole } from "../console.ts";
import { ended, spawnLeashed } from "../leashed-process.ts";
import type { Network } from "../network.ts";

/** A host that DHCP gives an address of its own. */
export interface DhcpHost {
  readonly mac: string;
  readonly address: string;
}

/** Runs dnsmasq as the DHCP server of the rack's network, apart from any controller. Resolves with what ends it. */
export async function startDnsmasq(
  network: Network,
  folder: string,
  hosts: readonly DhcpHost[],
): Promise<() => Promise<void>> {
  const file = path.join(folder, "dnsmasq.conf");
  const lines = [
    "port=0",
    "interface=rack",
    "bind-interfaces",
    "no-ping",
    "dhcp-authoritative",
    "dhcp-range=10.77.0.201,10.77.0.250,1h",
    `dhcp-boot=pxelinux.0,,${network.address}`,
    `dhcp-leasefile=${path.join(folder, "leases")}`,
    ...hosts.map(({ mac, address }) => `dhcp-host=${mac},${address}`),
  ];
  await writeFile(file, `${lines.join("\n")}\n`);
  const program = [
    "dnsmasq",
    "--keep-in-foreground",
    "--user=root",
    "--pid-file=",
    `--conf-file=${file}`,
    "--log-facility=-",
  ];
  const child = spawnLeashed("nsenter", [`--net=${network.namespace.path}`, "--", ...program]);
  const log = createConsole("dnsmasq");
  child.stderr?.setEncoding("utf8").on("data", log.append);
  child.stdout?.resume();
  const gone = ended(child);
  await Promise.race([
    log.waitFor(/DHCP, (IP|sockets)/, { timeoutMs: 10_000 }),
    gone.then(() => Promise.reject(new Error(`dnsmasq ended at once:\n${log.tail(10)}`))),
  ]);
  return async () => {
    child.kill("SIGKILL");
    await gone;
  };
}
