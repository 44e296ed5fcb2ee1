import { Failure } from "../../../proto/failure.ts";
import type { Clock } from "../../../proto/time/clock.ts";
import { pause } from "../../../proto/time/pause.ts";
import type { ControllerClient } from "./controller-client.ts";
import { ControllerError } from "./controller-error.ts";

/** How long the controller may be away (for a restart or an upgrade) before we stop watching. */
const patienceMs = 10 * 60_000;
const firstPauseMs = 250;
const longestPauseMs = 5_000;

/** What to follow, and whom to notify about the connection. */
export interface SteadyStream<T> {
  /** A new client; followSteadily closes it. */
  readonly connect: () => ControllerClient;
  /** Opens the stream; called again after each loss. */
  readonly open: (client: ControllerClient) => AsyncIterable<T>;
  /** Whether a stream that ended without an error was complete. */
  readonly isComplete: () => boolean;
  /** Whether the controller has answered before, so that even the first failure counts as a loss. */
  readonly isKnown: boolean;
  readonly signal: AbortSignal;
  /** Monotonic. */
  readonly clock: Clock;
  /** The connection is lost; called for each failed attempt. */
  readonly onLost: (lostForMs: number) => void;
  /** The first message after a loss has arrived. */
  readonly onBack: () => void;
}

/**
 * Yields the messages of one of the controller's streams, and reconnects with growing pauses if the connection is lost:
 * what we watch runs in the controller, so nothing is lost by waiting for it.
 *
 * @throws ControllerError for a refusal, and at once if the controller never answered; Failure if it stays away
 */
export async function* followSteadily<T>(stream: SteadyStream<T>): AsyncGenerator<T> {
  const { signal, clock } = stream;
  let isKnown = stream.isKnown;
  let lostAt: number | undefined;
  let pauseMs = firstPauseMs;
  while (true) {
    const client = stream.connect();
    let lastError: unknown;
    try {
      for await (const message of stream.open(client)) {
        isKnown = true;
        if (lostAt !== undefined) {
          lostAt = undefined;
          pauseMs = firstPauseMs;
          stream.onBack();
        }
        yield message;
      }
      if (stream.isComplete()) return;
    } catch (error) {
      const isLoss = error instanceof ControllerError && error.isConnectionLost;
      if (!isLoss || !isKnown) throw error;
      lastError = error;
    } finally {
      client.close();
    }
    signal.throwIfAborted();
    const now = clock.now();
    lostAt ??= now;
    if (now - lostAt > patienceMs)
      throw new Failure(
        "internal",
        "the controller has not answered for 10 minutes; what it does goes on: see that it runs and that you reach it, then watch again",
        {
          cause: lastError,
        },
      );
    stream.onLost(now - lostAt);
    await pause(clock, pauseMs, signal);
    pauseMs = Math.min(longestPauseMs, pauseMs * 2);
  }
}
