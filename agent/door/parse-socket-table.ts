import { parseSocketAddress, type SocketAddress } from "../../proto/linux/parse-socket-address.ts";
import { plainAddress } from "../../proto/names/plain-address.ts";

/** TCP_ESTABLISHED in the kernel's include/net/tcp_states.h. */
const established = "01";

/**
 * Finds in /proc/net/tcp or /proc/net/tcp6 (proc_pid_net(5)) which user owns the socket `local` of the established
 * connection to `remote`; undefined when no process of this machine has such a socket. A socket that its process has
 * closed is left out: the kernel shows it as root's.
 */
export function ownerOfSocket(table: string, local: SocketAddress, remote: SocketAddress): number | undefined {
  const isSame = (text: string | undefined, end: SocketAddress): boolean => {
    const found = parseSocketAddress(text ?? "");
    return found !== undefined && found.port === end.port && found.address === plainAddress(end.address);
  };
  for (const line of table.split("\n").slice(1)) {
    const [, here, there, state, , , , uid, , inode] = line.trim().split(/\s+/);
    if (state !== established || inode === "0" || !isSame(here, local) || !isSame(there, remote)) continue;
    if (uid !== undefined && /^\d+$/.test(uid)) return Number(uid);
  }
  return undefined;
}
