import { parsePrefixed } from "../../proto/system/config/ip-address.ts";
import { parseHostKey } from "../../proto/system/config/openssh-key.ts";
import type { SystemConfig } from "../../proto/system/system-config.ts";

/** What several nodes would be told to be, and only one can. */
export interface Clash {
  /** Whatever the nodes are known by, in their order. */
  readonly nodes: readonly string[];
  /** The field of the first one's config, as in `network.interfaces[0].addresses[0]`. */
  readonly field: string;
  /** A sentence without a full stop and without names of nodes. */
  readonly problem: string;
}

interface Claim {
  readonly field: string;
  readonly problem: string;
}

/** Finds what more than one of these systems would be told, of what each in a network needs for itself. */
export function findClashes(
  systems: readonly { readonly node: string; readonly config: SystemConfig }[],
): readonly Clash[] {
  const claims = new Map<string, Claim & { readonly nodes: Set<string> }>();
  for (const { node, config } of systems)
    for (const [what, claim] of claimsOf(config)) {
      const known = claims.get(what);
      if (known === undefined) claims.set(what, { ...claim, nodes: new Set([node]) });
      else known.nodes.add(node);
    }
  return [...claims.values()]
    .filter(({ nodes }) => nodes.size > 1)
    .map(({ nodes, field, problem }) => ({ nodes: [...nodes], field, problem }));
}

function claimsOf({ hostname, ssh, network }: SystemConfig): readonly (readonly [string, Claim])[] {
  return [
    ...(hostname === undefined
      ? []
      : [
          [
            `host name ${hostname}`,
            {
              field: "hostname",
              problem: `several nodes would have the host name ${hostname}; make it of {{ name }} or {{ index }}`,
            },
          ] as const,
        ]),
    ...(network?.interfaces ?? []).flatMap(({ name, addresses = [] }, index) =>
      isShared(name)
        ? addresses.map((address, at) => {
            const ip = canonicalAddress(address);
            const field = `network.interfaces[${index}].addresses[${at}]`;
            const problem = `several nodes would have the address ${ip}; make it of {{ index }}, as in "10.0.0.{{ index | plus: 100 }}/24"`;
            return [`address ${ip}`, { field, problem }] as const;
          })
        : [],
    ),
    ...(ssh?.hostKeys ?? []).flatMap((text, index) => {
      const key = parseHostKey(text);
      if (key === undefined) return [];
      const problem =
        'several nodes would have one SSH host key, and each could pose as the others; name a file for each, as in "keys/{{ name }}"';
      return [[`host key ${key.publicLine}`, { field: `ssh.hostKeys[${index}]`, problem }] as const];
    }),
  ];
}

/**
 * Whether other nodes may be at the other end of an interface: cables and radios (ethX, enX, endX, wlX), not what each board
 * has for itself, as a USB gadget's or a container's network has.
 */
function isShared(name: string): boolean {
  return /^(e|wl|[*?[])/.test(name);
}

/** One spelling of the address, without its prefix. */
function canonicalAddress(text: string): string {
  const { address = text, family } = parsePrefixed(text) ?? {};
  return family === 6 ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
}
