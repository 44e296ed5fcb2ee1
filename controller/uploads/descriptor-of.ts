import type { Socket } from "node:net";

/** Its file descriptor. Node has no public name for it; its handle has had this one since Node 0.x. */
export function descriptorOf(connection: Socket): number {
  const { _handle: handle } = connection as Socket & { readonly _handle?: { readonly fd?: number } };
  if (handle?.fd === undefined || handle.fd < 0) throw new Error("a connection has no file descriptor");
  return handle.fd;
}
