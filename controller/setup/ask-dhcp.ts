import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import process from "node:process";
import { isSea } from "node:sea";
import { setTimeout as pause } from "node:timers/promises";
import { execa } from "../../proto/linux/leashed-execa.ts";
import { systemEnvironment } from "../network/supervise-process.ts";
import { parseOffer, renderDiscover } from "./dhcp-message.ts";
import type { SetupFacts } from "./facts.ts";

/** How often it is asked, and how long each time for answers: a server may ping first, which takes dnsmasq three seconds. */
const attempts = 3;
const waitMs = 2000;

/** The command of this program that asks from the namespace that it is in; only `askForDhcpServers` runs it. */
export const askCommand = "ask-dhcp";

/**
 * Asks on an interface whether somebody there gives out addresses, as a board would. The question comes from a network
 * namespace of its own, by an interface with a MAC address of its own (macvlan): nothing of this machine's is changed, and both
 * are gone with the process, however it ends. What serves on this very interface does not hear it.
 *
 * @param main the program's main module, where it is no single file
 */
export async function askForDhcpServers(
  device: string,
  main: string | undefined,
): Promise<NonNullable<SetupFacts["otherDhcp"]>> {
  // The interface is made from this machine's namespace, which is that of the parent.
  const script =
    'nsenter --net="/proc/$PPID/ns/net" ip link add link "$0" name ask0 address "$1" netns "$$" type macvlan mode bridge && ' +
    'ip link set ask0 up && ip route add default dev ask0 && shift && exec "$@"';
  // Locally administered, and no group's.
  const mac = ["02", ...[...randomBytes(5)].map((byte) => byte.toString(16).padStart(2, "0"))].join(":");
  const program = [process.execPath, ...(isSea() || main === undefined ? [] : [main]), "setup", askCommand, mac];
  const { failed, stdout, stderr, shortMessage } = await execa(
    "unshare",
    ["--net", "--", "sh", "-c", script, device, mac, ...program],
    { reject: false, stdin: "ignore", env: systemEnvironment },
  );
  if (failed) return { unasked: stderr.trim().split("\n").at(-1) || (shortMessage ?? "it failed") };
  return { servers: stdout.split("\n").filter((line) => line !== "") };
}

/**
 * Asks from the network namespace that this process is in, by its one route. Resolves with the servers that answered.
 *
 * @param mac the MAC address of the interface there, which has no other address
 */
export async function askHere(mac: string): Promise<readonly string[]> {
  const transaction = Number.parseInt(mac.replaceAll(":", "").slice(-8), 16);
  const socket = createSocket({ type: "udp4", reuseAddr: true });
  const servers = new Set<string>();
  socket.on("message", (message) => {
    const server = parseOffer(message, transaction);
    if (server !== undefined) servers.add(server);
  });
  socket.bind(68);
  await once(socket, "listening");
  try {
    socket.setBroadcast(true);
    for (let attempt = 0; attempt < attempts && servers.size === 0; attempt++) {
      await new Promise<void>((resolve, reject) => {
        socket.send(renderDiscover(transaction, mac), 67, "255.255.255.255", (error) =>
          error === null ? resolve() : reject(error),
        );
      });
      await pause(waitMs);
    }
  } finally {
    socket.close();
  }
  return [...servers];
}
