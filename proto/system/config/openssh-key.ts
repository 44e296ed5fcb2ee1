import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject } from "node:crypto";

// OpenSSH's files of keys: PROTOCOL.key of its sources for private ones, RFC 4253 section 6.6 for public ones.

/** A private host key, as far as its server and those who know it by name need it. */
export interface HostKey {
  /** As in RFC 4253: "ssh-ed25519". */
  readonly algorithm: string;
  /** "ssh-ed25519 AAAA…", without a comment. */
  readonly publicLine: string;
  /** The file of the private key. Secret. */
  readonly privateText: string;
}

/** What OpenSSH calls the files of keys of an algorithm: ssh_host_ed25519_key. */
const fileWords: Readonly<Record<string, string>> = {
  "ssh-ed25519": "ed25519",
  "ssh-rsa": "rsa",
  "ecdsa-sha2-nistp256": "ecdsa",
  "ecdsa-sha2-nistp384": "ecdsa",
  "ecdsa-sha2-nistp521": "ecdsa",
};

/** The word of an algorithm in the name of its file; undefined for one that no server is given. */
export function fileWordOf(algorithm: string): string | undefined {
  return Object.hasOwn(fileWords, algorithm) ? fileWords[algorithm] : undefined;
}

const magic = Buffer.from("openssh-key-v1\0");
const armour = { begin: "-----BEGIN OPENSSH PRIVATE KEY-----", end: "-----END OPENSSH PRIVATE KEY-----" };
/** What a private part is filled up to without a cipher. */
const blockBytes = 8;

/**
 * A private key in OpenSSH's format or PEM (PKCS #8, PKCS #1, SEC 1), without a passphrase; undefined for everything
 * else. An Ed25519 key in PEM becomes one in OpenSSH's format, because older servers read no other.
 */
export function parseHostKey(text: string): HostKey | undefined {
  return text.includes(armour.begin) ? parseOpenSsh(text) : parsePem(text);
}

/** An Ed25519 key as OpenSSH keeps it. Throws a TypeError for a key of another kind. */
export function renderEd25519Key(key: KeyObject, comment: string): HostKey {
  const { x, d } = key.export({ format: "jwk" });
  if (key.asymmetricKeyType !== "ed25519" || x === undefined || d === undefined) throw new TypeError("no Ed25519 key");
  const [publicBytes, seed] = [Buffer.from(x, "base64url"), Buffer.from(d, "base64url")];
  const algorithm = "ssh-ed25519";
  const publicBlob = Buffer.concat([field(algorithm), field(publicBytes)]);
  // The check number tells a right passphrase from a wrong one: without one, any will do.
  const check = uint32(0x70616c6c);
  const secret = Buffer.concat([
    ...[check, check, publicBlob],
    field(Buffer.concat([seed, publicBytes])),
    field(comment),
  ]);
  const padding = Uint8Array.from({ length: -secret.length & (blockBytes - 1) }, (_, index) => index + 1);
  const blob = Buffer.concat([
    ...[magic, field("none"), field("none"), field(""), uint32(1)],
    ...[field(publicBlob), field(Buffer.concat([secret, padding]))],
  ]);
  const lines = blob.toString("base64").match(/.{1,70}/g) ?? [];
  return {
    algorithm,
    publicLine: `${algorithm} ${publicBlob.toString("base64")}`,
    privateText: [armour.begin, ...lines, armour.end, ""].join("\n"),
  };
}

function parseOpenSsh(text: string): HostKey | undefined {
  const [, armoured] = new RegExp(`^\\s*${armour.begin}([A-Za-z0-9+/=\\s]+)${armour.end}\\s*$`).exec(text) ?? [];
  if (armoured === undefined) return undefined;
  const blob = Buffer.from(armoured, "base64");
  if (!blob.subarray(0, magic.length).equals(magic)) return undefined;
  const outer = fieldReader(blob.subarray(magic.length));
  const [cipher, kdf] = [outer.field(), outer.field()];
  outer.field();
  if (cipher?.toString() !== "none" || kdf?.toString() !== "none" || outer.number() !== 1) return undefined;
  const [publicBlob, secret] = [outer.field(), outer.field()];
  if (publicBlob === undefined || secret === undefined) return undefined;
  const inner = fieldReader(secret);
  const [check, checkAgain] = [inner.number(), inner.number()];
  if (check === undefined || check !== checkAgain) return undefined;
  const algorithm = inner.field()?.toString() ?? "";
  const isOfOneKey = fieldReader(publicBlob).field()?.toString() === algorithm;
  if (!isOfOneKey || fileWordOf(algorithm) === undefined) return undefined;
  return {
    algorithm,
    publicLine: `${algorithm} ${publicBlob.toString("base64")}`,
    // sshd(8) reads no file without an end of its last line.
    privateText: `${text.trim()}\n`,
  };
}

function parsePem(text: string): HostKey | undefined {
  let key: KeyObject;
  try {
    key = createPrivateKey(text);
  } catch {
    // No key, or one with a passphrase: the caller says so, without a word of what it was.
    return undefined;
  }
  if (key.asymmetricKeyType === "ed25519") return renderEd25519Key(key, "");
  const blob = publicBlobOf(createPublicKey(key).export({ format: "jwk" }));
  if (blob === undefined) return undefined;
  return { ...blob, privateText: `${text.trim()}\n` };
}

const curves: Readonly<Record<string, string>> = { "P-256": "nistp256", "P-384": "nistp384", "P-521": "nistp521" };

function publicBlobOf({ kty, crv = "", x, y, n, e }: JsonWebKey): Omit<HostKey, "privateText"> | undefined {
  const bytes = (text: string) => Buffer.from(text, "base64url");
  const line = (algorithm: string, ...fields: readonly Buffer[]) => {
    const blob = Buffer.concat([algorithm, ...fields].map(field));
    return { algorithm, publicLine: `${algorithm} ${blob.toString("base64")}` };
  };
  if (kty === "RSA" && n !== undefined && e !== undefined) return line("ssh-rsa", mpint(bytes(e)), mpint(bytes(n)));
  const curve = curves[crv];
  if (kty !== "EC" || curve === undefined || x === undefined || y === undefined) return undefined;
  return line(`ecdsa-sha2-${curve}`, Buffer.from(curve), Buffer.concat([Buffer.of(4), bytes(x), bytes(y)]));
}

/** A positive number (RFC 4251 section 5): one whose first bit is set gets a zero in front. */
function mpint(bytes: Buffer): Buffer {
  return (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function field(content: string | Buffer): Buffer {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  return Buffer.concat([uint32(bytes.length), bytes]);
}

/** Reads fields one after the other; undefined where a length says more than there is. */
function fieldReader(bytes: Buffer) {
  let at = 0;
  const number = (): number | undefined => {
    if (at + 4 > bytes.length) return undefined;
    at += 4;
    return bytes.readUInt32BE(at - 4);
  };
  return {
    number,
    field(): Buffer | undefined {
      const length = number();
      if (length === undefined || at + length > bytes.length) return undefined;
      at += length;
      return bytes.subarray(at - length, at);
    },
  };
}
