import { parseSocketAddress, type SocketAddress } from "../../proto/linux/parse-socket-address.ts";

/** A socket that listens, or takes datagrams, as the kernel lists it. */
export interface ListedSocket extends SocketAddress {
  readonly protocol: "TCP" | "UDP";
  readonly inode: number;
}

/** States of include/net/tcp_states.h: a TCP socket that listens, and a UDP socket that nobody is connected to. */
const waiting = { TCP: "0A", UDP: "07" } as const;

/**
 * Reads /proc/net/tcp, tcp6, udp or udp6 (proc_net_tcp.txt of the kernel's documentation): sockets that wait for
 * others.
 */
export function parseSockets(text: string, protocol: "TCP" | "UDP"): readonly ListedSocket[] {
  return text.split("\n").flatMap((line) => {
    const [, local = "", , state, , , , , , inode = ""] = line.trim().split(/\s+/);
    const end = parseSocketAddress(local);
    return end === undefined || state !== waiting[protocol] ? [] : [{ protocol, ...end, inode: Number(inode) }];
  });
}

/** Reads /proc/net/unix: the inode of the socket that listens at the path; undefined when there is none. */
export function parseUnixSocket(text: string, path: string): number | undefined {
  for (const line of text.split("\n")) {
    const [, , , flags, , , inode, name] = line.trim().split(/\s+/);
    // __SO_ACCEPTCON of include/uapi/linux/net.h.
    if (name === path && flags !== undefined && (Number.parseInt(flags, 16) & 0x10000) !== 0) return Number(inode);
  }
  return undefined;
}

/** Reads /proc/PID/cgroup (cgroups(7)): the systemd unit that a process belongs to; undefined outside of any. */
export function parseUnit(text: string): string | undefined {
  const path = /^(?:0:|\d+:name=systemd):(.*)$/m.exec(text)?.[1] ?? "";
  return path
    .split("/")
    .toReversed()
    .find((name) => name.endsWith(".service"));
}
