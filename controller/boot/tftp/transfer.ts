import type { RemoteInfo, Socket } from "node:dgram";
import type { Clock } from "../../../proto/time/clock.ts";
import { BlockReader } from "./block-reader.ts";
import type { FileContent, Peer } from "./file-content.ts";
import type { TftpLimits } from "./limits.ts";
import { negotiateOptions } from "./negotiate-options.ts";
import { decodePacket, encodeDataHeader, encodePacket, errorCode, MalformedPacket, type Option } from "./packet.ts";
import {
  endWithoutAcknowledgement,
  startTransfer,
  type TransferEvent,
  type TransferOutcome,
  type Transition,
  transition,
} from "./transition.ts";
import { isAnswerable } from "./udp-socket.ts";

/** How a transfer ended. */
export interface TransferEnd {
  readonly outcome: TransferOutcome;
  readonly reason: string;
  /** Bytes that the client acknowledged; all of them where the last acknowledgement is missing. */
  readonly bytes: number;
  /** Since the client was last heard, in milliseconds. */
  readonly silentMs: number;
  readonly retransmits: number;
  readonly blockSize: number;
  readonly windowSize: number;
}

/** A running transfer. */
export interface Transfer {
  /** The client has sent its request again, from the same port. */
  repeatRequest(): void;
  /**
   * Whether the same request, coming again from the client's port, is a repetition that the network held back: nothing
   * was acknowledged yet, or the client spoke a moment ago. A client that starts over will ask again.
   */
  isLive(): boolean;
  /** Ends it and tells the client why. */
  abort(reason: string): void;
  /** Ends it in silence, because the client's port asks for something else now. */
  supersede(): void;
  /** Ends it in silence, because another transfer needs its place more; a client that is there will ask again. */
  giveWay(): void;
  /** Whether the client has acknowledged anything. */
  isProven(): boolean;
  /** Since the last progress, in milliseconds; to be heard alone is none. */
  stalledMs(): number;
  /** Resolves when it has ended and its socket and content are closed. Never rejects. */
  readonly ended: Promise<TransferEnd>;
}

/** Everything that a transfer needs. It owns `socket` and `content` and closes both. */
export interface TransferOptions {
  readonly socket: Socket;
  readonly content: FileContent;
  readonly peer: Peer;
  readonly options: readonly Option[];
  readonly limits: TftpLimits;
  /** A monotonic one. */
  readonly clock: Clock;
  /** Called for problems that do not end the transfer: malformed packets, packets that could not be sent. */
  readonly onProblem: (kind: "malformed" | "socket" | "internal", error: Error, peer: Peer) => void;
}

/** Sends a file to a client from a socket of its own. What to do is decided in transition.ts; this only does it. */
export function runTransfer({ socket, content, peer, options, limits, clock, onProblem }: TransferOptions): Transfer {
  const { parameters, acknowledged } = negotiateOptions(options, content.sizeBytes, limits);
  const { blockSize, windowSize } = parameters;
  const reader = new BlockReader(content, blockSize, windowSize);
  const started = startTransfer(parameters, content.sizeBytes, acknowledged.length > 0, limits, clock.now());
  const completed = Promise.withResolvers<TransferEnd>();
  let state = started.state;
  let heardAtMs = clock.now();
  let stopTimer = (): void => {};
  let next = 1;
  let last = 0;
  let pumping = false;

  const send = (packet: Uint8Array | readonly Uint8Array[], to: Peer = peer): void => {
    socket.send(packet, to.port, to.address, (error) => {
      // A packet that cannot be sent counts as lost: the timer resends it, or gives up.
      if (error !== null && state.phase !== "ended") onProblem("socket", error, to);
    });
  };

  const sendError = (code: number, message: string, to: Peer = peer): void =>
    send(encodePacket({ type: "error", code, message }), to);

  /** Sends blocks `next` to `last`, both of which may change while it reads. */
  const pump = async (): Promise<void> => {
    if (pumping) return;
    pumping = true;
    try {
      while (state.phase !== "ended" && next <= last) {
        const block = reader.peek(next);
        if (block === undefined) {
          await reader.load(next);
          continue;
        }
        send([encodeDataHeader(next & 0xffff), block]);
        next += 1;
      }
    } finally {
      pumping = false;
    }
  };

  const fail = (error: unknown): void => {
    const cause = error instanceof Error ? error : new Error(String(error));
    onProblem("internal", cause, peer);
    sendError(errorCode.notDefined, "the file cannot be read");
    finish("aborted", `the file cannot be read: ${cause.message}`);
  };

  const timedOut = (): void => apply(transition(state, { type: "timeout", atMs: clock.now() }));

  const finish = (outcome: TransferOutcome, reason: string): void => {
    state = { ...state, phase: "ended" };
    stopTimer();
    const confirmed = outcome === "aborted" ? state.acknowledged : state.lastBlock;
    const bytes = Math.min(confirmed * blockSize, content.sizeBytes);
    const silentMs = clock.now() - heardAtMs;
    // close() would drop datagrams in the socket's queue; one event-loop turn lets them out.
    setImmediate(() => socket.close());
    content
      .close({ outcome, bytes, silentMs })
      .catch((error: unknown) => onProblem("internal", error instanceof Error ? error : new Error(String(error)), peer))
      .then(() =>
        completed.resolve({ outcome, reason, bytes, silentMs, retransmits: state.retransmits, blockSize, windowSize }),
      );
  };

  const apply = ({ state: after, effects }: Transition): void => {
    state = after;
    for (const effect of effects) {
      switch (effect.type) {
        case "send-option-acknowledgement":
          send(encodePacket({ type: "option-acknowledgement", options: acknowledged }));
          break;
        case "send-blocks":
          next = effect.from;
          last = effect.to;
          pump().catch((error: unknown) => state.phase !== "ended" && fail(error));
          break;
        case "send-error":
          sendError(effect.code, effect.message);
          break;
        case "wait":
          stopTimer();
          stopTimer = clock.setTimeout(timedOut, effect.ms);
          break;
        case "end":
          finish(effect.outcome, effect.reason);
          break;
      }
    }
  };

  const onMessage = (bytes: Uint8Array, from: RemoteInfo): void => {
    if (!isAnswerable(from)) return;
    const event = decodeEvent(bytes, from);
    if (event === undefined || state.phase === "ended") return;
    if (from.port === peer.port && from.address === peer.address) {
      heardAtMs = clock.now();
      apply(transition(state, event));
    } else if (event.type !== "client-error") {
      // RFC 1350 section 4: a packet from elsewhere is answered, and does not disturb the transfer.
      sendError(errorCode.unknownTransferId, "this port serves another transfer; use the TFTP port", from);
    }
  };

  const decodeEvent = (bytes: Uint8Array, from: RemoteInfo): TransferEvent | undefined => {
    try {
      const packet = decodePacket(bytes);
      if (packet.type === "acknowledgement") return { type: "acknowledgement", block: packet.block, atMs: clock.now() };
      if (packet.type === "error") return { type: "client-error", code: packet.code, message: packet.message };
      return { type: "unexpected-packet", description: `a ${packet.type} packet` };
    } catch (error) {
      if (!(error instanceof MalformedPacket)) throw error;
      onProblem("malformed", error, from);
      return undefined;
    }
  };

  socket.on("message", onMessage);
  socket.on("error", (error) => onProblem("socket", error, peer));
  apply(started);

  const endSilently = (reason: string): void => {
    if (state.phase !== "ended") finish(endWithoutAcknowledgement(state), reason);
  };

  return {
    repeatRequest: () => apply(transition(state, { type: "request-repeated", atMs: clock.now() })),
    isLive: () => state.phase !== "ended" && (!state.proven || clock.now() - heardAtMs < limits.firstTimeoutMs),
    abort: (reason) => {
      if (state.phase === "ended") return;
      sendError(errorCode.notDefined, reason);
      finish(endWithoutAcknowledgement(state), reason);
    },
    supersede: () => endSilently("the client's port requested another file"),
    giveWay: () => endSilently("another transfer needed its place"),
    isProven: () => state.proven,
    stalledMs: () => clock.now() - state.progressedAtMs,
    ended: completed.promise,
  };
}
