import type { NodeId } from "../../../proto/names/node-id.ts";
import { parseMacAddress } from "../../../proto/names/node-id.ts";

/** What a line of dnsmasq's log says about one DHCP client. */
export type DhcpNotice =
  /** What the client of this transaction calls itself in option 60. */
  | { readonly kind: "vendor-class"; readonly transaction: string; readonly vendorClass: string }
  /** An address was given or renewed. */
  | { readonly kind: "leased"; readonly transaction: string; readonly mac: NodeId; readonly address: string }
  /** A client asks: for an address, or, in proxy mode, where to boot from. */
  | { readonly kind: "asked"; readonly transaction: string; readonly mac: NodeId; readonly proxy: boolean }
  /** A client was told no, or got no answer. */
  | { readonly kind: "refused"; readonly transaction: string; readonly mac: NodeId; readonly why: string };

const linePattern = /^dnsmasq-dhcp(?:\[\d+\])?: (\d+) (.*)$/;
const messagePattern = /^(DHCP[A-Z]+|PXE)\([^\s)]*\) (?:(\d+\.\d+\.\d+\.\d+) )?([0-9a-f:]{17})(?: (.*))?$/;

/** Reads a line that dnsmasq 2.90 writes with log-dhcp; undefined for those that say nothing of this. */
export function parseDnsmasqLog(line: string): DhcpNotice | undefined {
  const [, transaction, text] = linePattern.exec(line) ?? [];
  if (transaction === undefined || text === undefined) return undefined;
  const vendorClass = /^vendor class: (.+)$/.exec(text)?.[1];
  if (vendorClass !== undefined) return { kind: "vendor-class", transaction, vendorClass: printable(vendorClass) };

  const [, message, address, macText = "", rest = ""] = messagePattern.exec(text) ?? [];
  const mac = parseMacAddress(macText);
  if (message === undefined || mac === undefined) return undefined;
  const why = rest.trim();
  if (message === "DHCPACK" && address !== undefined) return { kind: "leased", transaction, mac, address };
  if (message === "DHCPNAK") return { kind: "refused", transaction, mac, why: why || "its lease is not valid here" };
  if (/^(no address|address not available|ignored)/.test(why)) return { kind: "refused", transaction, mac, why };
  if (message === "DHCPDISCOVER" || message === "PXE") {
    return { kind: "asked", transaction, mac, proxy: message === "PXE" };
  }
  return undefined;
}

function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 80);
}
