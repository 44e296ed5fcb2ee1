/**
 * DER (ITU-T X.690) as far as certificates and their requests need it: whole values out of parts, and one strict way to
 * take them apart again. Cryptography is OpenSSL's, through node:crypto; only the envelopes are made here.
 */

/** Tags of the values that are used (X.690, table 1 of X.680). */
export const derTags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectId: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** One value: tag, length in its shortest form, content. */
export function der(tag: number, ...content: readonly Uint8Array[]): Uint8Array {
  const body = Buffer.concat(content);
  return Buffer.concat([Uint8Array.of(tag), lengthOctets(body.length), body]);
}

/** A SEQUENCE of values. */
export function derSequence(...values: readonly Uint8Array[]): Uint8Array {
  return der(derTags.sequence, ...values);
}

/** An object identifier, given as people write it ("1.2.840.10045.4.3.2"). */
export function derObjectId(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return der(derTags.objectId, Uint8Array.from([first * 40 + second, ...rest].flatMap(base128)));
}

/** A BIT STRING of whole octets. */
export function derBits(octets: Uint8Array): Uint8Array {
  return der(derTags.bitString, Uint8Array.of(0), octets);
}

/** A positive INTEGER, given as the octets of its magnitude. */
export function derInteger(magnitude: Uint8Array): Uint8Array {
  let from = 0;
  while (from < magnitude.length - 1 && magnitude[from] === 0) from += 1;
  const shortest = magnitude.subarray(from);
  const needsSign = (shortest[0] ?? 0) >= 0x80;
  return der(derTags.integer, needsSign ? Uint8Array.of(0) : new Uint8Array(), shortest);
}

/** One value as it lies in its surroundings. */
export interface DerValue {
  readonly tag: number;
  readonly content: Uint8Array;
  /** Tag and length too: what signatures are made over. */
  readonly whole: Uint8Array;
}

/**
 * The values that octets consist of, one after the other and nothing else. Undefined when they are not DER: a length
 * that is not in its shortest form, is indefinite or reaches past the end, a tag of several octets, or more than
 * `most` values. Takes nothing apart that it was not asked to.
 */
export function readDer(octets: Uint8Array, most = 16): readonly DerValue[] | undefined {
  const values: DerValue[] = [];
  let at = 0;
  while (at < octets.length) {
    const head = readHead(octets, at);
    if (head === undefined || values.length === most) return undefined;
    values.push({
      tag: head.tag,
      content: octets.subarray(head.from, head.to),
      whole: octets.subarray(at, head.to),
    });
    at = head.to;
  }
  return values;
}

function readHead(octets: Uint8Array, at: number): { tag: number; from: number; to: number } | undefined {
  const [tag, first] = [octets[at], octets[at + 1]];
  if (tag === undefined || first === undefined || (tag & 0x1f) === 0x1f) return undefined;
  if (first < 0x80) return within(octets, tag, at + 2, first);
  const count = first & 0x7f;
  // Nothing of ours is 16 MB long; 0x80 is the indefinite form of BER.
  if (count === 0 || count > 3 || at + 2 + count > octets.length) return undefined;
  let length = 0;
  for (const octet of octets.subarray(at + 2, at + 2 + count)) length = length * 256 + octet;
  const isShortest = length >= 0x80 && length >= 256 ** (count - 1);
  return isShortest ? within(octets, tag, at + 2 + count, length) : undefined;
}

function within(octets: Uint8Array, tag: number, from: number, length: number) {
  return from + length <= octets.length ? { tag, from, to: from + length } : undefined;
}

function lengthOctets(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length);
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return Uint8Array.of(0x80 | octets.length, ...octets);
}

function base128(number: number): number[] {
  const octets = [number % 128];
  for (let rest = Math.floor(number / 128); rest > 0; rest = Math.floor(rest / 128))
    octets.unshift(0x80 | (rest % 128));
  return octets;
}
