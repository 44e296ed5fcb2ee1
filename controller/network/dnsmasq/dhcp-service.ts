import type { NodeId } from "../../../proto/names/node-id.ts";
import type { Clock } from "../../../proto/time/clock.ts";
import { actFor } from "../../callers/author.ts";
import type { NewEvent } from "../../events/event.ts";
import type { NodeRegistry } from "../../nodes/node-registry.ts";
import type { InterfaceAddress } from "../interface-address.ts";
import type { DhcpConfig } from "../network-config.ts";
import type { SupervisorOptions } from "../supervise-process.ts";
import type { MachineRole } from "./choose-offers.ts";
import { type Dnsmasq, type DnsmasqOptions, dnsmasqFiles } from "./dnsmasq.ts";
import { createLeaseWatch } from "./lease-watch.ts";
import { planDnsmasq } from "./plan-dnsmasq.ts";
import { changesHosts, renderDhcpHosts } from "./render-dhcp-hosts.ts";
import { renderNames } from "./render-names.ts";
import { renderOffers } from "./render-offers.ts";

/** DHCP and DNS for the nodes while it is open. */
export interface DhcpService {
  close(): Promise<void>;
}

export interface DhcpServiceOptions {
  readonly config: { readonly dhcp: DhcpConfig; readonly advertise: string };
  /** Folder of dnsmasq's files. */
  readonly directory: string;
  readonly addresses: readonly InterfaceAddress[];
  readonly machine: MachineRole;
  readonly nodes: Pick<NodeRegistry, "list" | "get" | "recordLease" | "onChange">;
  readonly events: { append(event: NewEvent): unknown };
  /** Monotonic. */
  readonly clock: Clock;
  readonly log: SupervisorOptions["log"] & { debug(details: object, message: string): void };
  startDnsmasq(options: DnsmasqOptions): Promise<Dnsmasq>;
}

/** How long changes of nodes are collected before dnsmasq reads its hosts again, in milliseconds. */
const collectMs = 300;

/**
 * Runs a dnsmasq that knows every node: its hosts follow the node records, and what it logs updates them.
 * Throws a Failure where the settings do not fit this machine, or dnsmasq does not run.
 */
export async function openDhcpService(options: DhcpServiceOptions): Promise<DhcpService> {
  const { nodes, clock, log, directory } = options;
  const { machine } = options;
  const { settings, offers } = planDnsmasq(options.config, options.addresses, machine, dnsmasqFiles(directory));
  const leases = createLeaseWatch({ nodes, append: (event) => options.events.append(event), clock });
  /** The addresses at which nodes were when dnsmasq was told of them last. */
  const addresses = new Map<NodeId, string | undefined>();
  const render = (): string => {
    const all = nodes.list();
    addresses.clear();
    for (const { id, address } of all) addresses.set(id, address);
    return renderDhcpHosts(all, settings) + renderNames(all, settings);
  };
  let hosts = render();
  const dnsmasq = await options.startDnsmasq({
    directory,
    config: { dhcp: options.config.dhcp, advertise: options.config.advertise },
    settings,
    hosts: nodes.list(),
    clock,
    log,
    onLine(line) {
      log.debug({ line }, "dnsmasq");
      actFor({ by: { kind: "anonymous" } }, () => leases.line(line));
    },
  });

  if (settings.mode === "server") {
    const [from, to] = settings.range ?? [];
    log.info({ interface: settings.interface, from, to }, `nodes are offered: ${renderOffers(offers, machine)}`);
  }
  const closed = new AbortController();
  /** Whether dnsmasq will be told, or is being told: one after the other, for each time the same file is written. */
  let telling = false;
  let hasChanged = false;
  const refresh = async (): Promise<void> => {
    const changed = render();
    if (changed === hosts) return;
    await dnsmasq.setHosts(nodes.list());
    hosts = changed;
  };
  const tellSoon = (): void => {
    if (telling) return;
    telling = true;
    const run = async (): Promise<void> => {
      hasChanged = false;
      await refresh().catch((error: unknown) => log.error({ err: error }, "could not pass the nodes to dnsmasq"));
      telling = false;
      if (hasChanged && !closed.signal.aborted) tellSoon();
    };
    clock.setTimeout(() => void run(), collectMs, closed.signal);
  };
  const unsubscribe = nodes.onChange(({ node, cause }) => {
    if (!changesHosts[cause] && node.address === addresses.get(node.id)) return;
    hasChanged = true;
    tellSoon();
  });
  return {
    async close() {
      closed.abort();
      unsubscribe();
      await dnsmasq.close();
    },
  };
}
