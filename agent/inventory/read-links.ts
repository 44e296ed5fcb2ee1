import { closeSync } from "node:fs";
import { type CLibrary, loadLibc } from "../../proto/linux/libc.ts";
import { type Link, parseLinkDump } from "./parse-link-dump.ts";

/** AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE (netlink(7)). */
const rtnetlink = [16, 3 | 0o2000000, 0] as const;
/** MSG_DONTWAIT: the kernel answers while it is asked, so there is nothing to wait for. */
const atOnce = 0x40;
/** The kernel never makes a piece larger (NLMSG_GOODSIZE and what a dump may grow to: net/netlink/af_netlink.c). */
const pieceBytes = 64 * 1024;

/**
 * Every Ethernet interface of the network namespace that this process is in, up or not. The kernel is asked by netlink,
 * as Node's networkInterfaces() asks it: /sys/class/net may show another namespace's, and has no permanent addresses.
 *
 * Throws the system call's error.
 */
export function readLinks(libc: CLibrary = loadLibc()): readonly Link[] {
  const socket = libc.socket(...rtnetlink);
  try {
    libc.send(socket, request(), 0);
    const links: Link[] = [];
    const piece = Buffer.alloc(pieceBytes);
    for (;;) {
      const length = libc.recv(socket, piece, atOnce);
      const { links: more, isComplete } = parseLinkDump(piece.subarray(0, length));
      links.push(...more);
      if (isComplete || length === 0) return links;
    }
  } finally {
    closeSync(socket);
  }
}

/** struct nlmsghdr and struct ifinfomsg: RTM_GETLINK with NLM_F_REQUEST | NLM_F_DUMP, of every address family. */
function request(): Buffer {
  const message = Buffer.alloc(32);
  message.writeUInt32LE(message.length, 0);
  message.writeUInt16LE(18, 4);
  message.writeUInt16LE(0x301, 6);
  return message;
}
