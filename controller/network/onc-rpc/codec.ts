/** One remote procedure (RFC 5531): program, version and procedure numbers. */
export interface Procedure {
  readonly program: number;
  readonly version: number;
  readonly procedure: number;
}

/** What a server answered to a call. */
export type RpcReply =
  | { readonly kind: "success"; readonly transactionId: number; readonly results: Uint8Array }
  /** A sentence that says why not. */
  | { readonly kind: "refused"; readonly transactionId: number; readonly why: string };

/** Bytes of the record mark that stands before each record over TCP (RFC 5531 section 11). */
export const recordMarkBytes = 4;
const lastFragment = 0x8000_0000;

const acceptStates = [
  "",
  "the program is not served there",
  "the version is not served there",
  "the procedure does not exist there",
  "it could not decode the arguments",
  "it had an internal error",
] as const;

/**
 * A call as one record for TCP, with AUTH_SYS credentials of root (RFC 5531 section 9, its appendix A).
 *
 * @param parameters encoded already
 */
export function encodeCall(transactionId: number, called: Procedure, parameters: Uint8Array): Uint8Array {
  // stamp, machine name, uid, gid, no further groups
  const credentials = join([encodeInteger(0), encodeText("pallet"), ...[0, 0, 0].map(encodeInteger)]);
  const body = join([
    ...[transactionId, 0, 2, called.program, called.version, called.procedure].map(encodeInteger),
    ...[encodeInteger(1), encodeInteger(credentials.length), credentials],
    ...[encodeInteger(0), encodeInteger(0)],
    parameters,
  ]);
  return join([encodeInteger((lastFragment | body.length) >>> 0), body]);
}

/** Reads a record mark: how many bytes follow, and whether they end the record. */
export function decodeRecordMark(bytes: Uint8Array): { readonly length: number; readonly last: boolean } {
  const mark = decodeInteger(bytes, 0);
  return { length: mark % lastFragment, last: mark >= lastFragment };
}

/**
 * Reads a reply without its record mark. Throws a RangeError where it ends too early, an Error where it is not a reply.
 */
export function decodeReply(bytes: Uint8Array): RpcReply {
  const transactionId = decodeInteger(bytes, 0);
  if (decodeInteger(bytes, 4) !== 1) throw new Error("its answer is not an RPC reply");
  if (decodeInteger(bytes, 8) !== 0) return { kind: "refused", transactionId, why: "it denied the call" };
  const verifierBytes = decodeInteger(bytes, 16);
  const statusAt = 20 + padded(verifierBytes);
  const status = decodeInteger(bytes, statusAt);
  if (status === 0) return { kind: "success", transactionId, results: bytes.subarray(statusAt + 4) };
  return { kind: "refused", transactionId, why: acceptStates[status] ?? `it answered with status ${status}` };
}

/** An unsigned 32-bit integer (RFC 4506 section 4.2). */
export function encodeInteger(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** Throws a RangeError where the bytes end too early. */
export function decodeInteger(bytes: Uint8Array, offset: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(offset);
}

/** A string (RFC 4506 section 4.11): its length, its UTF-8 bytes, zeros up to a multiple of four. */
export function encodeText(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  return join([encodeInteger(bytes.length), bytes, new Uint8Array(padded(bytes.length) - bytes.length)]);
}

function padded(length: number): number {
  return Math.ceil(length / 4) * 4;
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
