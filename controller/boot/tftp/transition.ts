import type { TransferParameters } from "./negotiate-options.ts";
import { errorCode } from "./packet.ts";

/** When the server sends again, in milliseconds. */
export interface RetransmissionTiming {
  /** Silence before the first retransmission; each further silence doubles it. */
  readonly firstTimeoutMs: number;
  /** Longest interval between retransmissions where the client named none of its own (RFC 2349). */
  readonly maxTimeoutMs: number;
  /** Consecutive silences after which the client is considered gone. */
  readonly maxSilences: number;
  /**
   * Packets that one request may bring to an address that has acknowledged nothing yet: whoever sent the request may
   * have forged that address, and its owner must not be flooded by us.
   */
  readonly maxUnprovenSends: number;
  /** Longest time without progress, whatever interval the client named and whatever it repeats. */
  readonly maxStalledMs: number;
  /** Shortest time to wait after an acknowledgement that repeats the last one, before the window is sent again. */
  readonly gapDelayMs: number;
}

/**
 * A transfer between two events. Blocks are counted from 1 without rollover; only `acknowledgement` events carry the 16
 * bits of the wire.
 *
 *     negotiating --ack 0--> sending --ack of the last block--> ended
 *          |                    |
 *          +--- client's error, or too many silences ---------> ended
 *
 * Until its first acknowledgement a client is unproven, and gets little; only progress keeps a transfer alive.
 */
export interface TransferState {
  readonly phase: "negotiating" | "sending" | "ended";
  readonly windowSize: number;
  /** Number of the block that is shorter than the others, possibly empty, and ends the file. */
  readonly lastBlock: number;
  /** The client has every block up to this one. */
  readonly acknowledged: number;
  /** The client acknowledged something: it is where its packets say that it is, and wants what it gets. */
  readonly proven: boolean;
  /** When the last acknowledgement came that was news; the start, where none did. */
  readonly progressedAtMs: number;
  /** Blocks up to this one are on their way since the last acknowledgement. */
  readonly sent: number;
  /** Highest block ever sent. */
  readonly highest: number;
  /** Blocks and option acknowledgements sent more than once. */
  readonly retransmits: number;
  /** Timeouts in a row without progress. */
  readonly silences: number;
  /** An acknowledgement was repeated, so the first block of the window may be lost: was that seen, and acted on? */
  readonly gap: "none" | "reported" | "answered";
  /** When the window was sent; absent once any of it was sent again, because the answer could be to either. */
  readonly sentAtMs?: number;
  /** Last measured time between a window and its acknowledgement. */
  readonly roundTripMs: number;
  readonly timing: RetransmissionTiming;
  /** Longest interval between retransmissions of this transfer. */
  readonly maxTimeoutMs: number;
}

/** What happens to a transfer. `atMs` is monotonic time. */
export type TransferEvent =
  | { readonly type: "acknowledgement"; readonly block: number; readonly atMs: number }
  | { readonly type: "timeout"; readonly atMs: number }
  | { readonly type: "request-repeated"; readonly atMs: number }
  | { readonly type: "client-error"; readonly code: number; readonly message: string }
  | { readonly type: "unexpected-packet"; readonly description: string };

/**
 * How a transfer ended. "unconfirmed": every block was sent, and only the last acknowledgement never came, which some
 * boot ROMs do not send (and any client's may be lost).
 */
export type TransferOutcome = "served" | "unconfirmed" | "aborted";

/** What the server has to do, in this order. `wait` replaces the running timer. */
export type TransferEffect =
  | { readonly type: "send-option-acknowledgement" }
  | { readonly type: "send-blocks"; readonly from: number; readonly to: number }
  | { readonly type: "send-error"; readonly code: number; readonly message: string }
  | { readonly type: "wait"; readonly ms: number }
  | { readonly type: "end"; readonly outcome: TransferOutcome; readonly reason: string };

/** The next state, and what to do on the way there. */
export interface Transition {
  readonly state: TransferState;
  readonly effects: readonly TransferEffect[];
}

/** A transfer that begins with an option acknowledgement if `negotiated`, otherwise with the first block. */
export function startTransfer(
  parameters: TransferParameters,
  sizeBytes: number,
  negotiated: boolean,
  timing: RetransmissionTiming,
  atMs: number,
): Transition {
  const state: TransferState = {
    phase: negotiated ? "negotiating" : "sending",
    windowSize: parameters.windowSize,
    lastBlock: Math.floor(sizeBytes / parameters.blockSize) + 1,
    acknowledged: 0,
    proven: false,
    progressedAtMs: atMs,
    sent: 0,
    highest: 0,
    retransmits: 0,
    silences: 0,
    gap: "none",
    roundTripMs: 0,
    timing,
    maxTimeoutMs: parameters.timeoutMs ?? timing.maxTimeoutMs,
  };
  if (!negotiated) return sendWindow(state, atMs);
  return { state, effects: [{ type: "send-option-acknowledgement" }, wait(state, atMs)] };
}

/** Decides what an event means for a transfer. An ended transfer ignores everything. */
export function transition(state: TransferState, event: TransferEvent): Transition {
  if (state.phase === "ended") return unchanged(state);
  switch (event.type) {
    case "acknowledgement":
      return state.phase === "negotiating"
        ? onOptionsAcknowledged(state, event.block, event.atMs)
        : onAcknowledgement(state, event.block, event.atMs);
    case "timeout":
      return onTimeout(state, event.atMs);
    case "request-repeated":
      return state.proven ? unchanged(state) : answerAgain(state, event.atMs);
    case "client-error":
      return end(state, "aborted", `the client ended it with error ${event.code}: ${event.message}`);
    case "unexpected-packet": {
      const { state: ended, effects } = end(state, "aborted", `the client sent ${event.description}`);
      const error = `expected an acknowledgement, got ${event.description}`;
      return {
        state: ended,
        effects: [{ type: "send-error", code: errorCode.illegalOperation, message: error }, ...effects],
      };
    }
  }
}

/** The outcome of a transfer that ends before the client has acknowledged its last block. */
export function endWithoutAcknowledgement({ highest, lastBlock }: TransferState): TransferOutcome {
  return highest === lastBlock ? "unconfirmed" : "aborted";
}

function onOptionsAcknowledged(state: TransferState, block: number, atMs: number): Transition {
  if (block !== 0) return unchanged(state);
  return sendWindow({ ...state, phase: "sending", silences: 0, proven: true, progressedAtMs: atMs }, atMs);
}

function onAcknowledgement(state: TransferState, block: number, atMs: number): Transition {
  const progress = (block - state.acknowledged) & 0xffff;
  if (progress === 0) return onRepeatedAcknowledgement(state);
  // Late ones from before the window are after it, which modulo 65536 is far ahead of it.
  if (progress > state.sent - state.acknowledged) return unchanged(state);
  const acknowledged = state.acknowledged + progress;
  const { sentAtMs, ...rest } = state;
  const roundTripMs = sentAtMs === undefined ? state.roundTripMs : atMs - sentAtMs;
  const heard = { proven: true, progressedAtMs: atMs, silences: 0, gap: "none" } as const;
  const next: TransferState = { ...rest, ...heard, acknowledged, roundTripMs };
  if (acknowledged === state.lastBlock) return end(next, "served", "the client acknowledged the last block");
  // RFC 7440 section 4: an acknowledgement from inside the window reports a loss; continue behind it, at once.
  return sendWindow(next, atMs);
}

/**
 * Repeats an acknowledgement that we had: with windows, the client reports so that the first block of this one is lost;
 * or the network doubled the packet, or the client answers to a block that we doubled. To send at once in the last two
 * cases would double every packet until the end (RFC 1123 section 4.2.3.1, the Sorcerer's Apprentice), so give the
 * acknowledgement of what is on its way the time to arrive first. Without windows a lost block is the timer's business.
 */
function onRepeatedAcknowledgement(state: TransferState): Transition {
  if (state.windowSize === 1 || state.gap !== "none") return unchanged(state);
  const delayMs = Math.max(state.timing.gapDelayMs, 2 * state.roundTripMs);
  return {
    state: { ...state, gap: "reported" },
    effects: [{ type: "wait", ms: Math.min(delayMs, timeoutMs(state)) }],
  };
}

function onTimeout(state: TransferState, atMs: number): Transition {
  if (state.gap === "reported") return sendAgain({ ...state, gap: "answered" }, atMs);
  const silences = state.silences + 1;
  const { maxSilences, maxUnprovenSends, maxStalledMs } = state.timing;
  const mostSilences = state.proven ? maxSilences : Math.min(maxSilences, maxUnprovenSends - 1);
  if (silences > mostSilences || atMs - state.progressedAtMs >= maxStalledMs) {
    const reason = `the client fell silent after block ${state.acknowledged} of ${state.lastBlock}`;
    return end(state, endWithoutAcknowledgement(state), reason);
  }
  return sendAgain({ ...state, silences, gap: "none" }, atMs);
}

/** Answers a request that came again by one packet, too, and goes on waiting for the time that it waits already. */
function answerAgain(state: TransferState, atMs: number): Transition {
  const { state: next, effects } = sendAgain(state, atMs);
  return { state: next, effects: effects.filter(({ type }) => type !== "wait") };
}

/** Resends everything that awaits an acknowledgement. */
function sendAgain(state: TransferState, atMs: number): Transition {
  if (state.phase === "sending") return sendWindow(state, atMs);
  const next = { ...state, retransmits: state.retransmits + 1 };
  return { state: next, effects: [{ type: "send-option-acknowledgement" }, wait(next, atMs)] };
}

/** Sends the window that follows the last acknowledged block. */
function sendWindow(state: TransferState, atMs: number): Transition {
  const from = state.acknowledged + 1;
  const to = Math.min(state.acknowledged + state.windowSize, state.lastBlock);
  const repeated = Math.max(0, Math.min(to, state.highest) - from + 1);
  const { sentAtMs: _, ...rest } = state;
  const next: TransferState = {
    ...rest,
    sent: to,
    highest: Math.max(state.highest, to),
    retransmits: state.retransmits + repeated,
    ...(repeated === 0 && { sentAtMs: atMs }),
  };
  return { state: next, effects: [{ type: "send-blocks", from, to }, wait(next, atMs)] };
}

function end(state: TransferState, outcome: TransferOutcome, reason: string): Transition {
  return { state: { ...state, phase: "ended" }, effects: [{ type: "end", outcome, reason }] };
}

function unchanged(state: TransferState): Transition {
  return { state, effects: [] };
}

function wait(state: TransferState, atMs: number): TransferEffect {
  const leftMs = state.progressedAtMs + state.timing.maxStalledMs - atMs;
  return { type: "wait", ms: Math.max(0, Math.min(timeoutMs(state), leftMs)) };
}

/** Time to wait for the client after `silences` timeouts: doubled each time, up to the client's own interval. */
function timeoutMs({ timing, silences, maxTimeoutMs }: TransferState): number {
  return Math.min(timing.firstTimeoutMs * 2 ** silences, maxTimeoutMs);
}
