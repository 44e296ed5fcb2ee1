/** What is said, at every start and wherever somebody looks, of a controller that takes every call from everybody. */
export function insecureTcpWarning(address: string): string {
  return (
    `INSECURE: every call is taken at TCP ${address} from whoever reaches it (insecureTcp, --insecure-tcp): anybody on that ` +
    "network may erase every disk; without that setting, the unix socket alone takes them"
  );
}
