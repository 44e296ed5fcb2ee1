import { plainAddress } from "../names/plain-address.ts";

/** One end of a socket. */
export interface SocketAddress {
  /** In the form of `plainAddress`: "0.0.0.0" or "::" for everywhere. */
  readonly address: string;
  readonly port: number;
}

/**
 * Parses an address of /proc/net/tcp, tcp6, udp or udp6 (proc_pid_net(5)): "0100007F:1E1E". The address stands there as
 * 32-bit words in the order of this machine's bytes, which is the small end first on all that Pallet runs on. Undefined
 * for another text.
 */
export function parseSocketAddress(text: string): SocketAddress | undefined {
  const [, words = "", port = ""] = /^((?:[0-9A-F]{8}){1,4}):([0-9A-F]{4})$/i.exec(text) ?? [];
  const bytes = (words.match(/.{8}/g) ?? []).flatMap((word) => [...Buffer.from(word, "hex")].reverse());
  if (bytes.length === 4) return { address: bytes.join("."), port: Number.parseInt(port, 16) };
  if (bytes.length !== 16) return undefined;
  const address = (Buffer.from(bytes).toString("hex").match(/.{4}/g) ?? []).join(":");
  return { address: plainAddress(address), port: Number.parseInt(port, 16) };
}
