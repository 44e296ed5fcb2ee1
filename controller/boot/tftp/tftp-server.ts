import type { RemoteInfo, Socket } from "node:dgram";
import { type Clock, monotonicClock } from "../../../proto/time/clock.ts";
import { admitTransfer } from "./admit-transfer.ts";
import type { FileSource, Peer } from "./file-content.ts";
import { resolveLimits, type TftpLimits } from "./limits.ts";
import { type Listener, openListeners } from "./open-listeners.ts";
import { decodePacket, encodePacket, errorCode, MalformedPacket, type Packet, type RequestPacket } from "./packet.ts";
import { readOwnAddresses } from "./read-own-addresses.ts";
import { runTransfer, type Transfer, type TransferEnd } from "./transfer.ts";
import { bindSocket, isAnswerable } from "./udp-socket.ts";

/** The result of one read request. */
export interface TransferReport extends Omit<TransferEnd, "outcome"> {
  readonly address: string;
  readonly port: number;
  readonly path: string;
  readonly outcome: TransferEnd["outcome"] | "not-found" | "refused";
  readonly durationMs: number;
}

/** A problem that does not belong to a request. */
export interface TftpProblem {
  readonly kind: "malformed" | "stray" | "socket" | "internal";
  readonly peer: Peer;
  readonly error: Error;
}

/** Counts since the server started. */
export interface TftpStatistics {
  readonly transfers: number;
  readonly served: number;
  readonly bytes: number;
  readonly retransmits: number;
  readonly malformed: number;
  readonly active: number;
}

export interface TftpServerOptions {
  /** Numeric address to listen on; a wildcard stands for each address of this machine. */
  readonly address: string;
  /** UDP port; 0 lets the system choose. */
  readonly port: number;
  readonly files: FileSource;
  readonly limits?: Partial<TftpLimits>;
  readonly onTransfer?: (report: TransferReport) => void;
  readonly onProblem?: (problem: TftpProblem) => void;
  /** A monotonic one. */
  readonly clock?: Clock;
  /** The numeric addresses of this machine; asked again and again where `address` is a wildcard. */
  readonly ownAddresses?: () => readonly string[];
  /** Closes the server when aborted. */
  readonly signal?: AbortSignal;
}

export interface TftpServer {
  /** Where it listens, as it was told. */
  readonly address: string;
  readonly port: number;
  statistics(): TftpStatistics;
  /** Tells every client that the transfer is over, and resolves when every socket and file is closed. */
  close(): Promise<void>;
}

/** What is being served to a client's port; there is no transfer until its file is open. */
interface Session {
  readonly key: string;
  readonly request: RequestPacket;
  readonly address: string;
  transfer?: Transfer;
  readonly proven: boolean;
  readonly stalledMs: number;
}

/** Who asked, and by which of our sockets: answers go back by the same. */
interface Caller extends Peer {
  readonly listener: Listener;
}

/**
 * A read-only TFTP server: RFC 1350 in octet mode with the options of RFC 2347, 2348, 2349 and 7440. Every transfer
 * has a socket of its own; the listening one only takes requests and refuses them.
 *
 * Resolves when it listens; rejects with the error of bind(2).
 */
export async function createTftpServer(options: TftpServerOptions): Promise<TftpServer> {
  const { files, onTransfer, clock = monotonicClock } = options;
  const limits = resolveLimits(options.limits);
  options.signal?.throwIfAborted();
  const sessions = new Map<string, Session>();
  const working = new Set<Promise<void>>();
  const counts = { transfers: 0, served: 0, bytes: 0, retransmits: 0, malformed: 0 };
  let closing: Promise<void> | undefined;

  const onProblem = (kind: TftpProblem["kind"], error: Error, { address, port }: Peer): void => {
    if (kind === "malformed") counts.malformed += 1;
    options.onProblem?.({ kind, error, peer: { address, port } });
  };

  const send = (packet: Packet, { listener, port, address }: Caller): void => {
    if (closing !== undefined) return;
    const peer: Peer = { address, port };
    try {
      listener.socket.send(encodePacket(packet), port, address, (error) => error && onProblem("socket", error, peer));
    } catch (error) {
      // Its address has left this machine meanwhile.
      onProblem("socket", error instanceof Error ? error : new Error(String(error)), peer);
    }
  };

  const report = (request: RequestPacket, { address, port }: Peer, startedAt: number, ending: Ending): void => {
    counts.transfers += 1;
    if (ending.outcome === "served" || ending.outcome === "unconfirmed") counts.served += 1;
    counts.bytes += ending.bytes;
    counts.retransmits += ending.retransmits;
    onTransfer?.({ ...ending, address, port, path: request.path, durationMs: clock.now() - startedAt });
  };

  const onRequest = (request: RequestPacket, peer: Caller): void => {
    const startedAt = clock.now();
    const key = `${peer.listener.address} ${peer.address} ${peer.port}`;
    const current = sessions.get(key);
    if (current !== undefined && isSame(current.request, request) && (current.transfer?.isLive() ?? true)) {
      current.transfer?.repeatRequest();
      return;
    }
    current?.transfer?.supersede();
    sessions.delete(key);
    const refusal = refuseRequest(request, peer.address);
    if (refusal !== undefined) {
      send({ type: "error", ...refusal }, peer);
      report(request, peer, startedAt, { ...noTransfer, outcome: "refused", reason: refusal.message });
      return;
    }

    const session: Session = {
      key,
      request,
      address: peer.address,
      get proven() {
        return this.transfer?.isProven() ?? false;
      },
      get stalledMs() {
        return this.transfer?.stalledMs() ?? clock.now() - startedAt;
      },
    };
    sessions.set(key, session);
    const isCurrent = (): boolean => sessions.get(key) === session && closing === undefined;
    const work = serve(request, peer, session, isCurrent)
      .catch((cause: unknown): Ending => {
        const error = cause instanceof Error ? cause : new Error(String(cause));
        onProblem("internal", error, peer);
        send({ type: "error", code: errorCode.notDefined, message: "internal error in the server" }, peer);
        return { ...noTransfer, outcome: "aborted", reason: error.message };
      })
      .then((ending) => {
        working.delete(work);
        if (sessions.get(key) === session) sessions.delete(key);
        report(request, peer, startedAt, ending);
      });
    working.add(work);
  };

  const refuseRequest = (request: RequestPacket, address: string): { code: number; message: string } | undefined => {
    if (request.type === "write-request")
      return { code: errorCode.accessViolation, message: "this server is read-only" };
    if (request.mode !== "octet") {
      const message = `mode ${JSON.stringify(request.mode)} is not served; set the client to octet (binary)`;
      return { code: errorCode.notDefined, message };
    }
    // Each holds a file and a socket until it has closed them, also those that gave way already.
    if (working.size >= 2 * limits.maxTransfers)
      return { code: errorCode.notDefined, message: `busy with ${working.size} requests; try again later` };
    const admission = admitTransfer([...sessions.values()], address, limits);
    if (!admission.admitted) return { code: errorCode.notDefined, message: admission.message };
    if (admission.givesWay !== undefined) {
      sessions.delete(admission.givesWay.key);
      admission.givesWay.transfer?.giveWay();
    }
    return undefined;
  };

  const serve = async (
    request: RequestPacket,
    caller: Caller,
    session: Session,
    isCurrent: () => boolean,
  ): Promise<Ending> => {
    const peer: Peer = { address: caller.address, port: caller.port };
    const opened = await files.open(request.path, peer);
    if (opened.kind !== "file") {
      const code = opened.kind === "not-found" ? errorCode.fileNotFound : errorCode.accessViolation;
      send({ type: "error", code, message: opened.message }, caller);
      return { ...noTransfer, outcome: opened.kind, reason: opened.message };
    }
    const { content } = opened;
    let socket: Socket | undefined;
    try {
      socket = await bindSocket(caller.listener.address, 0);
    } finally {
      if (socket === undefined) await content.close({ outcome: "aborted", bytes: 0, silentMs: 0 });
    }
    if (!isCurrent()) {
      socket.close();
      await content.close({ outcome: "aborted", bytes: 0, silentMs: 0 });
      return { ...noTransfer, outcome: "aborted", reason: "superseded before it began" };
    }
    session.transfer = runTransfer({ socket, content, peer, options: request.options, limits, clock, onProblem });
    return session.transfer.ended;
  };

  const onMessage = (bytes: Uint8Array, { address, port }: RemoteInfo, listener: Listener): void => {
    const peer: Caller = { address, port, listener };
    if (!isAnswerable(peer)) {
      onProblem("stray", new Error("a datagram from port 0"), peer);
      return;
    }
    let packet: Packet;
    try {
      packet = decodePacket(bytes);
    } catch (error) {
      if (!(error instanceof MalformedPacket)) throw error;
      onProblem("malformed", error, peer);
      send({ type: "error", code: errorCode.illegalOperation, message: error.message }, peer);
      return;
    }
    if (packet.type === "read-request" || packet.type === "write-request") {
      onRequest(packet, peer);
    } else if (packet.type === "data" || packet.type === "option-acknowledgement") {
      const message = `${packet.type} packets belong to the port of a transfer`;
      onProblem("stray", new Error(message), peer);
      send({ type: "error", code: errorCode.illegalOperation, message }, peer);
    }
    // What remains: acknowledgements, tftp-hpa's answer to our errors, and errors, which are never answered.
  };

  const close = (): Promise<void> => {
    closing ??= (async () => {
      options.signal?.removeEventListener("abort", onAbort);
      for (const { transfer } of sessions.values()) transfer?.abort("the server is shutting down");
      await Promise.all([listeners.close(), ...working]);
    })();
    return closing;
  };
  const onAbort = (): void => void close();

  const listeners = await openListeners({
    address: options.address,
    port: options.port,
    ownAddresses: options.ownAddresses ?? readOwnAddresses,
    clock,
    onMessage,
    onError: (error, at) => onProblem("socket", error, at),
  });
  options.signal?.addEventListener("abort", onAbort, { once: true });
  if (options.signal?.aborted) onAbort();
  return {
    address: options.address,
    port: listeners.port,
    statistics: () => ({ ...counts, active: sessions.size }),
    close,
  };
}

function isSame(one: RequestPacket, other: RequestPacket): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

type Ending = Omit<TransferReport, "address" | "port" | "path" | "durationMs">;

const noTransfer = { bytes: 0, silentMs: 0, retransmits: 0, blockSize: 0, windowSize: 0 };
