import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { endianness } from "node:os";
import { loadLibc } from "../../proto/linux/libc.ts";
import type { Caller } from "../callers/caller.ts";
import { descriptorOf } from "../uploads/descriptor-of.ts";
import { parseUserName } from "./parse-user-name.ts";

/** SOL_SOCKET and SO_PEERCRED of socket(7), on x64 and arm64. */
const solSocket = 1;
const soPeercred = 17;
/** struct ucred of unix(7): pid, uid and gid, 32 bits each. */
const ucredBytes = 12;
const uidAt = 4;

/**
 * Which user of this machine is at the other end of a unix socket, as the kernel kept it at connect(2): nobody can claim
 * to be another. Throws when the kernel does not say, as for a socket of another family.
 */
export function userOf(connection: Socket): Caller & { readonly kind: "socket-user" } {
  const ucred = new Uint8Array(ucredBytes);
  loadLibc().getsockopt(descriptorOf(connection), solSocket, soPeercred, ucred);
  const uid = new DataView(ucred.buffer).getUint32(uidAt, endianness() === "LE");
  return { kind: "socket-user", uid, name: parseUserName(readPasswd(), uid) ?? String(uid) };
}

/** The file, not NSS: that may ask a server on the network, and wait for it. */
function readPasswd(): string {
  try {
    return readFileSync("/etc/passwd", "utf8");
  } catch {
    return "";
  }
}
