import type { NodeView } from "../view/node-view.ts";

/** Nothing that could be another host's name, or a pattern. */
const ipAddress = /^[0-9a-f]*[.:][0-9a-f.:]+$/;

/** Lines of an ssh_known_hosts file, sshd(8): each host key of each node, by the node's name, host name and address. */
export function renderKnownHosts(nodes: readonly NodeView[]): string[] {
  return nodes.flatMap(({ name, address, config }) => {
    const names = [name, config?.hostname ?? name, ...(address !== null && ipAddress.test(address) ? [address] : [])];
    const hosts = [...new Set(names)].join(",");
    return (config?.hostKeys ?? []).map(({ key }) => `${hosts} ${key}`);
  });
}
