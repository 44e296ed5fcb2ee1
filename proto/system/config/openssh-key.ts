import { createPrivateKey, type JsonWebKey, type KeyObject } from "node:crypto";
import { type FieldReader, field, fieldReader, mpint, uint32 } from "./ssh-wire.ts";

// OpenSSH's files of keys: PROTOCOL.key of its sources for private ones, RFC 4253 section 6.6 for public ones.

/** A private host key, as far as its server and those who know it by name need it. */
export interface HostKey {
  /** As in RFC 4253: "ssh-ed25519". */
  readonly algorithm: string;
  /** "ssh-ed25519 AAAA…", without a comment. */
  readonly publicLine: string;
  /** The file of the private key. Secret. */
  readonly privateText: string;
  /** The same as dropbear keeps it (signkey.c of its sources: buf_put_priv_key). Secret. */
  readonly dropbearFile: Buffer;
}

/** What OpenSSH calls the files of keys of an algorithm: ssh_host_ed25519_key. */
const fileWords: Readonly<Record<string, string>> = {
  "ssh-ed25519": "ed25519",
  "ssh-rsa": "rsa",
  "ecdsa-sha2-nistp256": "ecdsa",
  "ecdsa-sha2-nistp384": "ecdsa",
  "ecdsa-sha2-nistp521": "ecdsa",
};

/** Algorithms of host keys that servers are given. */
export const hostKeyAlgorithms: readonly string[] = Object.keys(fileWords);

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
    dropbearFile: Buffer.concat([field(algorithm), field(Buffer.concat([seed, publicBytes]))]),
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
  const dropbearFile = readDropbearFile(algorithm, inner);
  if (dropbearFile === undefined) return undefined;
  return {
    algorithm,
    publicLine: `${algorithm} ${publicBlob.toString("base64")}`,
    // sshd(8) reads no file without an end of its last line.
    privateText: `${text.trim()}\n`,
    dropbearFile,
  };
}

/** The rest of OpenSSH's private part of a key, as dropbear orders it: the same numbers. */
function readDropbearFile(algorithm: string, inner: FieldReader): Buffer | undefined {
  const fields: Buffer[] = [];
  const count = algorithm === "ssh-rsa" ? 6 : algorithm === "ssh-ed25519" ? 2 : 3;
  for (let left = count; left > 0; left--) {
    const next = inner.field();
    if (next === undefined) return undefined;
    fields.push(next);
  }
  const order = algorithm === "ssh-rsa" ? [1, 0, 2, 4, 5] : algorithm === "ssh-ed25519" ? [1] : [0, 1, 2];
  return Buffer.concat([field(algorithm), ...order.map((index) => field(fields[index] ?? Buffer.of()))]);
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
  // DSA, and what else has no such form, is given to no server.
  if (key.asymmetricKeyType !== "rsa" && key.asymmetricKeyType !== "ec") return undefined;
  const parts = partsOf(key.export({ format: "jwk" }));
  return parts && { ...parts, privateText: `${text.trim()}\n` };
}

const curves: Readonly<Record<string, string>> = { "P-256": "nistp256", "P-384": "nistp384", "P-521": "nistp521" };

function partsOf(key: JsonWebKey): Omit<HostKey, "privateText"> | undefined {
  const bytes = (text = "") => Buffer.from(text, "base64url");
  const [kind, curve] = [key.kty, curves[key.crv ?? ""]];
  const make = (algorithm: string, open: readonly Buffer[], secret: readonly Buffer[]) => {
    const publicBlob = Buffer.concat([field(algorithm), ...open.map(field)]);
    return {
      algorithm,
      publicLine: `${algorithm} ${publicBlob.toString("base64")}`,
      dropbearFile: Buffer.concat([publicBlob, ...secret.map((each) => field(mpint(each)))]),
    };
  };
  if (kind === "RSA")
    return make("ssh-rsa", [mpint(bytes(key.e)), mpint(bytes(key.n))], [key.d, key.p, key.q].map(bytes));
  if (kind !== "EC" || curve === undefined) return undefined;
  const point = Buffer.concat([Buffer.of(4), bytes(key.x), bytes(key.y)]);
  return make(`ecdsa-sha2-${curve}`, [Buffer.from(curve), point], [bytes(key.d)]);
}
