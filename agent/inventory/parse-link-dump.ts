/** A network interface as the kernel lists it (rtnetlink(7), RTM_NEWLINK). */
export interface Link {
  readonly name: string;
  /** Six octets, lower case; absent for interfaces that have no such address. */
  readonly mac?: string;
  /** The one that the hardware came with, which firmware and boot loaders use; absent for interfaces without hardware. */
  readonly permanentMac?: string;
  /** What kind of interface the system has made: "bridge", "bond", "macvlan", "veth"; absent for what is no such thing. */
  readonly kind?: string;
}

const headerBytes = 16;
const messageType = { error: 2, done: 3, newLink: 16 } as const;
/** Its struct ifinfomsg: address family, hardware type, index, flags, mask. */
const linkInfoBytes = 16;
/** Types of hardware (include/uapi/linux/if_arp.h). */
const ethernet = 1;
/** Attributes (include/uapi/linux/if_link.h). */
const attribute = { address: 1, name: 3, linkInfo: 18, permanentAddress: 54 } as const;
/** In the attribute linkInfo. */
const infoKind = 1;
/** A type may say that it holds others (NLA_F_NESTED), or numbers in network byte order: include/uapi/linux/netlink.h. */
const typeMask = 0x3fff;

/**
 * The Ethernet interfaces in one answer to RTM_GETLINK, which is some messages, and whether the answer ends there. A
 * Wi-Fi interface counts as Ethernet, loopback does not. Throws when the kernel reports an error or the answer is cut.
 */
export function parseLinkDump(bytes: Buffer): { readonly links: readonly Link[]; readonly isComplete: boolean } {
  const links: Link[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = at + headerBytes <= bytes.length ? bytes.readUInt32LE(at) : 0;
    if (length < headerBytes || at + length > bytes.length) throw new Error("the kernel's list of links is cut");
    const type = bytes.readUInt16LE(at + 4);
    const body = bytes.subarray(at + headerBytes, at + length);
    if (type === messageType.done) return { links, isComplete: true };
    if (type === messageType.error) {
      const errno = body.length >= 4 ? -body.readInt32LE(0) : 0;
      throw new Error(`the kernel does not list links: errno ${errno}`);
    }
    if (type === messageType.newLink && body.length >= linkInfoBytes && body.readUInt16LE(2) === ethernet) {
      const link = parseLink(body.subarray(linkInfoBytes));
      if (link !== undefined) links.push(link);
    }
    at += aligned(length);
  }
  return { links, isComplete: false };
}

function parseLink(bytes: Buffer): Link | undefined {
  const found = parseAttributes(bytes);
  const name = textOf(found.get(attribute.name));
  if (name === undefined) return undefined;
  const [mac, permanentMac] = [attribute.address, attribute.permanentAddress].map((type) => macOf(found.get(type)));
  const info = found.get(attribute.linkInfo);
  const kind = info && textOf(parseAttributes(info).get(infoKind));
  return {
    name,
    ...(mac !== undefined && { mac }),
    ...(permanentMac !== undefined && { permanentMac }),
    ...(kind !== undefined && { kind }),
  };
}

function parseAttributes(bytes: Buffer): ReadonlyMap<number, Buffer> {
  const found = new Map<number, Buffer>();
  for (let at = 0; at + 4 <= bytes.length; ) {
    const length = bytes.readUInt16LE(at);
    if (length < 4 || at + length > bytes.length) throw new Error("the kernel's list of links is cut");
    found.set(bytes.readUInt16LE(at + 2) & typeMask, bytes.subarray(at + 4, at + length));
    at += aligned(length);
  }
  return found;
}

/** Undefined for none, and for an empty one. */
function textOf(bytes: Buffer | undefined): string | undefined {
  return bytes?.toString("utf8").replace(/\0.*$/s, "") || undefined;
}

/** Undefined for what is no Ethernet address, and for one of zeros, which no interface has. */
function macOf(octets: Buffer | undefined): string | undefined {
  if (octets?.length !== 6 || octets.every((octet) => octet === 0)) return undefined;
  return octets.toString("hex").replace(/..(?!$)/g, "$&:");
}

/** Messages and attributes begin at multiples of four bytes. */
function aligned(length: number): number {
  return (length + 3) & ~3;
}
