// What a flood sends by UDP: to TFTP, to DHCP, and to where agents are told of a controller that has moved.
import { encodeControllerMoved } from "../../../proto/node/controller-moved.ts";
import type { Chance } from "./chance.ts";

/** Makes one datagram of its kind. */
export type Datagrams = Readonly<Record<string, () => Buffer>>;

/** Of TFTP (RFC 1350, 2347). @param kernel a boot file that there is */
export function tftpDatagrams({ below, oneOf, rubbish, mac }: Chance, kernel: string): Datagrams {
  const packet = (opcode: number, ...words: readonly string[]): Buffer =>
    Buffer.from(`\0${String.fromCharCode(opcode)}${words.map((word) => `${word}\0`).join("")}`, "latin1");
  return {
    rubbish: () => rubbish(600),
    "half open": () =>
      packet(1, kernel, "octet", ...oneOf([[], ["blksize", "1468", "windowsize", "64", "timeout", "255"]])),
    "no such file": () => packet(1, rubbish(300).toString("latin1"), "octet"),
    "invented board": () => packet(1, `pxelinux.cfg/01-${mac().replaceAll(":", "-")}`, "octet"),
    "out of the tree": () => packet(1, `${"../".repeat(below(40))}etc/shadow`, "octet"),
    "absurd options": () =>
      packet(1, kernel, "octet", "blksize", "-1", "windowsize", "99999999999", "tsize", "x", "timeout", "0"),
    "many options": () => packet(1, kernel, "octet", ...Array.from({ length: 60 }, (_, index) => `o${index}`)),
    "other mode": () => packet(1, kernel, "mail"),
    write: () => packet(2, kernel, "octet"),
    "cut short": () => Buffer.from(`\0\x01${kernel}`, "latin1"),
    stray: () => Buffer.concat([Buffer.from([0, 3 + below(4)]), rubbish(520)]),
  };
}

/** Of whom DHCP packets speak: a node as it is. */
export interface SpokenOf {
  readonly mac: string;
  readonly address: string;
}

const dhcpTypes = { discover: 1, request: 3, decline: 4, release: 7, inform: 8 } as const;

/**
 * Of DHCP (RFC 2131). Those that are no rubbish get into dnsmasq's log, which is where the controller learns of leases:
 * texts of theirs look like lines of that log.
 */
export function dhcpDatagrams(chance: Chance, server: string, nodes: readonly SpokenOf[]): Datagrams {
  const { below, oneOf, rubbish, mac } = chance;
  const option = (code: number, value: Uint8Array): Buffer =>
    Buffer.concat([Buffer.from([code, value.length]), value.subarray(0, 255)]);
  const ip = (address: string): Buffer => Buffer.from(address.split(".").map(Number));
  const words = (text: string): Buffer => Buffer.from(text.slice(0, 255), "latin1");
  const packet = (type: keyof typeof dhcpTypes, of: string, ...options: readonly Buffer[]): Buffer => {
    const head = Buffer.alloc(240);
    head.set([1, 1, 6, 0]);
    head.writeUInt32BE(below(2 ** 32), 4);
    head.set(Buffer.from(of.replaceAll(":", ""), "hex"), 28);
    head.set([0x63, 0x82, 0x53, 0x63], 236);
    return Buffer.concat([head, option(53, Buffer.from([dhcpTypes[type]])), ...options, Buffer.from([255])]);
  };
  const from = (address: string, datagram: Buffer): Buffer => {
    datagram.set(ip(address), 12);
    return datagram;
  };
  const line = (): string => {
    const { mac: known, address } = oneOf(nodes);
    return `x\ndnsmasq-dhcp: 1 DHCPACK(rack) ${address.replace(/\d+$/, "66")} ${known} x\n`;
  };
  return {
    rubbish: () => rubbish(600),
    "rubbish options": () => packet(oneOf(["discover", "request", "inform"]), mac(), rubbish(400)),
    "invented board": () => packet("discover", mac(), option(60, words("PXEClient:Arch:00000:UNDI:002001"))),
    "a log line as vendor class": () => packet("discover", mac(), option(60, words(line()))),
    "a log line as host name": () =>
      packet("request", mac(), option(12, words(line())), option(50, ip(server.replace(/\d+$/, "150")))),
    "a node asks for another's address": () =>
      packet("request", oneOf(nodes).mac, option(50, ip(oneOf(nodes).address)), option(54, ip(server))),
    "a node gives its address back": () => {
      const { mac: known, address } = oneOf(nodes);
      return from(address, packet("release", known, option(54, ip(server))));
    },
    "every address declined": () =>
      packet(
        "decline",
        mac(),
        option(50, ip(server.replace(/\d+$/, String(100 + below(100))))),
        option(54, ip(server)),
      ),
    "an option that ends beyond the packet": () =>
      packet("discover", mac(), Buffer.from([12, 255, ...rubbish(40), 60, 200])),
    "an address of 255 bytes": () => {
      const datagram = packet("discover", mac());
      datagram[2] = 255;
      return datagram;
    },
    "many options": () =>
      packet("discover", mac(), ...Array.from({ length: 60 }, (_, index) => option(index + 60, rubbish(20)))),
  };
}

/** Of what a controller sends to agents when it has moved, to none of their runs. */
export function movedDatagrams({ below, rubbish }: Chance, stranger: string): Datagrams {
  const moved = (bootId: string): Buffer =>
    Buffer.from(
      encodeControllerMoved({
        ids: { bootId, instanceId: String(below(2 ** 30)) },
        controllers: [{ host: stranger, port: 7700 }],
      }),
    );
  return {
    rubbish: () => rubbish(1200),
    "another run's": () => moved("9e107d9d-372b-4b6c-a4a3-1f0b6a3c7d11"),
    "nobody's": () => moved(""),
    "cut short": () => moved("x").subarray(0, 1 + below(8)),
  };
}
