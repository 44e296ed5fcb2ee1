import { chmod, writeFile } from "node:fs/promises";
import path from "node:path";
import { performance } from "node:perf_hooks";
import { execa } from "../../proto/linux/leashed-execa.ts";
import type { NetworkNamespace } from "./network-namespace.ts";

/**
 * A lease as busybox's udhcpc tells it: variables of its script by name, options without one as optN in hexadecimal.
 */
export interface Lease {
  readonly values: Readonly<Record<string, string>>;
  readonly seconds: number;
}

/** What identifies who asks. */
export interface DhcpRequest {
  /** Option 60. */
  readonly vendorClass: string;
  /** Option 61; the MAC address where it is left out, and none at all for null, as U-Boot has it. */
  readonly clientId?: string | null;
  /** Further options, number and hexadecimal value. */
  readonly options?: readonly (readonly [number: number, value: string])[];
}

/** What a Raspberry Pi's boot ROM sends. */
export const bootRom: DhcpRequest = {
  vendorClass: "PXEClient:Arch:00000:UNDI:002001",
  // RFC 4578: client system architecture, network interface version.
  options: [
    [93, "0000"],
    [94, "010201"],
  ],
};

/** What U-Boot sends (net/bootp.c). */
export const uBoot: DhcpRequest = { vendorClass: "U-Boot.armv8", clientId: null };

/** Asks for an address on eth0 of the namespace, as a board does, and configures it. Rejects when there is none. */
export async function requestLease(
  board: NetworkNamespace,
  folder: string,
  { vendorClass, clientId, options: further = [] }: DhcpRequest,
  cancelSignal?: AbortSignal,
): Promise<Lease> {
  const script = path.join(folder, "dhcp-script");
  await writeFile(
    script,
    '#!/bin/sh\n[ "$1" = bound ] || exit 0\nip addr flush dev eth0\nip addr add "$ip/$mask" dev eth0\nenv\n',
  );
  await chmod(script, 0o755);
  const begun = performance.now();
  const sent = [...further, ...(clientId ? [[61, clientId] as const] : [])];
  const options = [
    ...(clientId === null ? ["-C"] : []),
    "-O",
    "tftp",
    "-O",
    "43",
    "-O",
    "ntpsrv",
    ...sent.flatMap(([number, value]) => ["-x", `0x${number.toString(16)}:${value}`]),
  ];
  const client = ["busybox", "udhcpc", "-f", "-q", "-n", "-t", "3", "-T", "3", "-i", "eth0", "-s", script];
  const { stdout } = await execa("nsenter", [`--net=${board.path}`, "--", ...client, ...options, "-V", vendorClass], {
    ...(cancelSignal !== undefined && { cancelSignal }),
  });
  const pairs = stdout.split("\n").map((line) => line.split("=", 2) as [string, string]);
  return { values: Object.fromEntries(pairs), seconds: (performance.now() - begun) / 1000 };
}
