/** A socket that listens, or takes datagrams, as the kernel lists it. */
export interface ListedSocket {
  readonly protocol: "TCP" | "UDP";
  readonly address: string;
  readonly port: number;
  readonly inode: number;
}

/** States of include/net/tcp_states.h: a TCP socket that listens, and a UDP socket that nobody is connected to. */
const waiting = { TCP: "0A", UDP: "07" } as const;

/**
 * Reads /proc/net/tcp, tcp6, udp or udp6 (proc_net_tcp.txt of the kernel's documentation): sockets that wait for others.
 * Addresses stand there in hexadecimal, as 32-bit words in the order of this machine's bytes, which is the small end first.
 */
export function parseSockets(text: string, protocol: "TCP" | "UDP"): readonly ListedSocket[] {
  return text.split("\n").flatMap((line) => {
    const [, local = "", , state, , , , , , inode = ""] = line.trim().split(/\s+/);
    const [address = "", port = ""] = local.split(":");
    if (state !== waiting[protocol] || !/^([0-9A-F]{8}|[0-9A-F]{32})$/.test(address)) return [];
    return [{ protocol, address: addressOf(address), port: Number.parseInt(port, 16), inode: Number(inode) }];
  });
}

function addressOf(hexadecimal: string): string {
  const bytes = Uint8Array.from(hexadecimal.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  for (let at = 0; at < bytes.length; at += 4) bytes.subarray(at, at + 4).reverse();
  if (bytes.length === 4) return bytes.join(".");
  // RFC 4291, section 2.5.5.2: an IPv4 address in the clothes of IPv6.
  if (bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 255) return bytes.subarray(12).join(".");
  const groups = Array.from({ length: 8 }, (_, group) => ((bytes[2 * group] ?? 0) << 8) | (bytes[2 * group + 1] ?? 0));
  return groups.every((group) => group === 0) ? "::" : groups.map((group) => group.toString(16)).join(":");
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
