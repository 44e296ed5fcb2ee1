/** The fixed part of a message (RFC 2131, section 2) up to the options, in bytes: 236, and the magic cookie. */
const headerBytes = 240;
const magicCookie = 0x63825363;

/** A DHCPDISCOVER whose answers are broadcast: who sends it has no address. */
export function renderDiscover(transaction: number, mac: string): Buffer {
  const message = Buffer.alloc(headerBytes);
  message.set([1, 1, 6, 0]);
  message.writeUInt32BE(transaction >>> 0, 4);
  message.writeUInt16BE(0x8000, 10);
  message.set(Buffer.from(mac.replaceAll(":", ""), "hex"), 28);
  message.writeUInt32BE(magicCookie, 236);
  // Message type DISCOVER; subnet mask, router, and the server's name for itself are asked for; the end.
  const options = Buffer.from([53, 1, 1, 55, 3, 1, 3, 54, 255]);
  return Buffer.concat([message, options, Buffer.alloc(300 - headerBytes - options.length)]);
}

/** The server behind a DHCPOFFER for this transaction (its option 54); undefined for any other message. */
export function parseOffer(message: Buffer, transaction: number): string | undefined {
  if (message.length < headerBytes || message[0] !== 2 || message.readUInt32BE(236) !== magicCookie) return undefined;
  if (message.readUInt32BE(4) !== transaction >>> 0) return undefined;
  let isOffer = false;
  let server: string | undefined;
  for (let at = headerBytes; at < message.length; ) {
    const code = message[at] ?? 255;
    if (code === 255) break;
    if (code === 0) {
      at += 1;
      continue;
    }
    const length = message[at + 1] ?? 0;
    const value = message.subarray(at + 2, at + 2 + length);
    if (code === 53 && value.length === 1) isOffer = value[0] === 2;
    if (code === 54 && value.length === 4) server = [...value].join(".");
    at += 2 + length;
  }
  return isOffer ? (server ?? "one that does not name itself") : undefined;
}
