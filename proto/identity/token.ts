/** How long a token is good for, in milliseconds. */
export const tokenValidityMs = 30 * 60_000;

/** A token for one enrolment, as a boot config carries it. */
export interface Token {
  /** When it was made, in milliseconds since the epoch. */
  readonly issuedAt: number;
  /** Tells tokens of the same time apart; 10 octets. */
  readonly random: Uint8Array;
  /** What shows that the controller made it, for this node; 16 octets. */
  readonly proof: Uint8Array;
}

const [timeOctets, randomOctets, proofOctets] = [6, 10, 16];
const octets = timeOctets + randomOctets + proofOctets;

/** The token as a kernel word's value: 43 characters of base64url. */
export function renderToken({ issuedAt, random, proof }: Token): string {
  return Buffer.concat([renderTime(issuedAt), random, proof]).toString("base64url");
}

/** The parts of a token; undefined for a text that is none. */
export function parseToken(text: string): Token | undefined {
  // 43 characters hold 32 octets; anything else is not worth decoding.
  if (text.length !== 43) return undefined;
  const given = Buffer.from(text, "base64url");
  if (given.length !== octets || given.toString("base64url") !== text) return undefined;
  return {
    issuedAt: given.readUIntBE(0, timeOctets),
    random: given.subarray(timeOctets, timeOctets + randomOctets),
    proof: given.subarray(timeOctets + randomOctets),
  };
}

/** What the proof of a token is made over, besides the node. */
export function renderTime(issuedAt: number): Uint8Array {
  const time = Buffer.alloc(timeOctets);
  time.writeUIntBE(issuedAt, 0, timeOctets);
  return time;
}
