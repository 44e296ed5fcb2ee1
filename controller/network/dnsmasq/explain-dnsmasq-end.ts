/** Explains why dnsmasq ended, with the remedy, from the last lines of its log. */
export function explainDnsmasqEnd(lines: readonly string[]): string {
  const said = lines
    .map((line) => line.replace(/^dnsmasq(-\w+)?(\[\d+\])?: /, ""))
    .filter((line) => line !== "" && line !== "FAILED to start up");
  const last = said.at(-1) ?? "it said nothing";
  if (/failed to bind DHCP server socket/.test(last)) {
    return 'another program answers DHCP on this machine (UDP port 67; "ss -lunp" shows which): stop it, or set dhcp.mode to none';
  }
  if (/failed to create listening socket/.test(last) && /in use/.test(last)) {
    return `another program answers DNS there (port 53; "ss -lunp" shows which): stop it, or leave out dhcp.dnsUpstream: ${last}`;
  }
  if (/unknown interface/.test(last))
    return `${last}: set dhcp.interface to one of this machine ("ip link" shows them)`;
  if (/Operation not permitted|Permission denied|CAP_NET/.test(last)) {
    return `DHCP needs root, or CAP_NET_ADMIN, CAP_NET_RAW and CAP_NET_BIND_SERVICE: ${last}`;
  }
  return last;
}
