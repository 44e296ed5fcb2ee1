import type { NodeId } from "../../../proto/names/node-id.ts";
import type { Clock } from "../../../proto/time/clock.ts";
import type { NewEvent } from "../../events/event.ts";
import type { Node } from "../../nodes/node.ts";
import { remember } from "../../records/remember.ts";
import { parseDnsmasqLog } from "./parse-dnsmasq-log.ts";

/** Makes node records and a readable event log out of what dnsmasq logs. */
export interface LeaseWatch {
  /** Reads one line of dnsmasq's log. */
  line(text: string): void;
}

/** How long until the same news about a board is reported again, in milliseconds: it asks three times per boot. */
const tellAgainMs = 10 * 60_000;
/** For how many boards and transactions something is remembered. */
const maxRemembered = 1000;

/**
 * Asking for an address does not make a board a discovered node: it may be anything. It is reported, so that an
 * operator sees boards that get no further.
 */
export function createLeaseWatch(options: {
  readonly nodes: {
    get(id: NodeId): Node | undefined;
    /** Notes that a known node got an address. */
    recordLease(id: NodeId, address: string): void;
  };
  readonly append: (event: NewEvent) => unknown;
  /** Monotonic. */
  readonly clock: Pick<Clock, "now">;
}): LeaseWatch {
  const { nodes, append, clock } = options;
  const vendorClasses = new Map<string, string>();
  const told = new Map<string, { readonly message: string; readonly at: number }>();

  function tell(key: string, event: NewEvent): void {
    const at = clock.now();
    const before = told.get(key);
    if (before !== undefined && before.message === event.message && at - before.at < tellAgainMs) return;
    remember(told, key, { message: event.message, at }, maxRemembered);
    append(event);
  }

  function nameOf(mac: NodeId, transaction: string): string {
    const node = nodes.get(mac);
    if (node !== undefined) return node.name;
    const vendorClass = vendorClasses.get(transaction);
    return `${mac}${vendorClass === undefined ? "" : ` (${vendorClass})`}, which is not a known node,`;
  }

  const aboutNode = (mac: NodeId): Pick<NewEvent, "nodeId" | "nodeName"> => {
    const node = nodes.get(mac);
    return node === undefined ? {} : { nodeId: node.id, nodeName: node.name };
  };

  return {
    line(text) {
      const notice = parseDnsmasqLog(text);
      if (notice === undefined) return;
      if (notice.kind === "vendor-class") {
        remember(vendorClasses, notice.transaction, notice.vendorClass, maxRemembered);
        return;
      }
      const { kind, mac, transaction } = notice;
      const name = nameOf(mac, transaction);
      if (kind === "leased") {
        nodes.recordLease(mac, notice.address);
        const message = `${name} got the address ${notice.address}`;
        tell(`${mac} leased`, { type: "address-leased", severity: "info", message, ...aboutNode(mac) });
      } else if (kind === "refused") {
        const message = `${name} got no address: ${notice.why}`;
        tell(`${mac} refused`, { type: "address-refused", severity: "warning", message, ...aboutNode(mac) });
      } else if (notice.proxy) {
        const message = `${name} was told where to boot from`;
        tell(`${mac} proxy`, { type: "boot-server-told", severity: "info", message, ...aboutNode(mac) });
      }
    },
  };
}
