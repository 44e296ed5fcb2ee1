import { randomInt } from "node:crypto";
import { connect, type Socket } from "node:net";
import { decodeRecordMark, decodeReply, encodeCall, type Procedure, recordMarkBytes } from "./codec.ts";

/** Calls one procedure of a server. */
export interface RpcCall extends Procedure {
  readonly address: string;
  /** TCP port. */
  readonly port: number;
  readonly parameters?: Uint8Array;
}

/** More than any answer that we expect; a server that announces more is broken. */
const maxReplyBytes = 64 * 1024;

/**
 * Calls over a TCP connection of its own and resolves with the encoded results. Throws an Error that says why there
 * are none: the system's where nothing listens, the signal's reason when it aborts.
 */
export async function callRpc(call: RpcCall, signal: AbortSignal): Promise<Uint8Array> {
  signal.throwIfAborted();
  const transactionId = randomInt(2 ** 32);
  const socket = connect({ host: call.address, port: call.port, signal });
  try {
    // Not end(): nfs-ganesha, seeing the caller's half closed, sometimes hangs up before it has answered.
    socket.write(encodeCall(transactionId, call, call.parameters ?? new Uint8Array()));
    const reply = decodeReply(await readRecord(socket));
    if (reply.transactionId !== transactionId) throw new Error("it answered a different call");
    if (reply.kind === "refused") throw new Error(reply.why);
    return reply.results;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    socket.destroy();
  }
}

/** Everything up to the end of the first record, its fragments joined. */
async function readRecord(socket: Socket): Promise<Uint8Array> {
  let unread = Buffer.alloc(0);
  let record = Buffer.alloc(0);
  for await (const piece of socket as AsyncIterable<Buffer>) {
    unread = Buffer.concat([unread, piece]);
    while (unread.length >= recordMarkBytes) {
      const { length, last } = decodeRecordMark(unread);
      if (record.length + length > maxReplyBytes) throw new Error(`it announced an answer of ${length} bytes`);
      if (unread.length < recordMarkBytes + length) break;
      record = Buffer.concat([record, unread.subarray(recordMarkBytes, recordMarkBytes + length)]);
      unread = unread.subarray(recordMarkBytes + length);
      if (last) return record;
    }
  }
  throw new Error("it closed the connection without an answer");
}
