import { isIP } from "node:net";
import type { NodeView } from "../view/node-view.ts";

/** Lines of an ssh_known_hosts file, sshd(8): each host key of each node, by the node's name, host name and address. */
export function renderKnownHosts(nodes: readonly NodeView[]): string[] {
  return nodes.flatMap(({ name, address, config }) => {
    const names = [name, config?.hostname ?? name, ...(address !== null && isIP(address) !== 0 ? [address] : [])];
    const hosts = [...new Set(names)].join(",");
    return (config?.hostKeys ?? []).map(({ key }) => `${hosts} ${key}`);
  });
}
