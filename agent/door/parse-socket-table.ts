import { plainAddress } from "../../proto/plain-address.ts";

/** One end of a TCP connection. */
export interface ConnectionEnd {
  readonly address: string;
  readonly port: number;
}

/** TCP_ESTABLISHED in the kernel's include/net/tcp_states.h. */
const ESTABLISHED = "01";

/**
 * Finds in /proc/net/tcp or /proc/net/tcp6 (proc_pid_net(5)) which user owns the socket `local` of the established
 * connection to `remote`; undefined when no process of this machine has such a socket. A socket that its process has
 * closed is left out: the kernel shows it as root's.
 */
export function ownerOfSocket(table: string, local: ConnectionEnd, remote: ConnectionEnd): number | undefined {
  const isSame = (text: string | undefined, end: ConnectionEnd): boolean => {
    const found = parseEnd(text ?? "");
    return found !== undefined && found.port === end.port && found.address === plainAddress(end.address);
  };
  for (const line of table.split("\n").slice(1)) {
    const [, here, there, state, , , , uid, , inode] = line.trim().split(/\s+/);
    if (state !== ESTABLISHED || inode === "0" || !isSame(here, local) || !isSame(there, remote)) continue;
    if (uid !== undefined && /^\d+$/.test(uid)) return Number(uid);
  }
  return undefined;
}

/** "0100007F:1E1E": 32-bit words as this machine has them in memory (little-endian on all that the agent runs on). */
function parseEnd(text: string): ConnectionEnd | undefined {
  const [, words = "", port = ""] = /^((?:[0-9A-F]{8}){1,4}):([0-9A-F]{4})$/i.exec(text) ?? [];
  const bytes = (words.match(/.{8}/g) ?? []).flatMap((word) => [...Buffer.from(word, "hex")].reverse());
  if (bytes.length === 4) return { address: bytes.join("."), port: Number.parseInt(port, 16) };
  if (bytes.length !== 16) return undefined;
  const address = (Buffer.from(bytes).toString("hex").match(/.{4}/g) ?? []).join(":");
  return { address: plainAddress(address), port: Number.parseInt(port, 16) };
}
