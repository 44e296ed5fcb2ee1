import type { VirtualRack } from "../../rack/virtual/virtual-rack.ts";

/**
 * From now on the management machine lets in no connection by TCP that comes from the switch: NFS, gRPC and HTTP are
 * away; DHCP and TFTP, which come by UDP, are not. Resolves with what lets them in again.
 */
export async function refuseTcp({ network }: VirtualRack): Promise<() => Promise<void>> {
  const rules = (...lines: readonly string[]) =>
    network.namespace.run("ip", ["-batch", "-"], lines.map((line) => `rule ${line}\n`).join(""));
  const refusal = `pref 10 iif ${network.interface} ipproto tcp prohibit`;
  // The kernel's own first rule would let everything in that is for this machine (ip-rule(8)).
  await rules("add pref 20 lookup local", `add ${refusal}`, "del pref 0");
  return async () => {
    await rules("add pref 0 lookup local", `del ${refusal}`, "del pref 20");
  };
}
