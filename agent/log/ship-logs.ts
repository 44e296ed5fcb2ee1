import type { Logger } from "pino";
import { messageOf } from "../../proto/failure.ts";
import { type BackoffPolicy, backoff } from "../../proto/time/backoff.ts";
import type { Clock } from "../../proto/time/clock.ts";
import type { LogLevel } from "../../proto/words/log-level.ts";
import type { Session } from "../registration/enrollment.ts";
import type { LogBuffer, LogLimits } from "./log-buffer.ts";
import type { LogReceiver, LogReportAnswer } from "./log-report.ts";

/** When and how much to send. Times in milliseconds. */
export interface ShippingSettings {
  /** How much is sent at once. */
  readonly batch: LogLimits;
  /** How long a record waits for others. */
  readonly intervalMs: number;
  /** How long is between two batches at least, so that a flood of records is not a flood of calls. */
  readonly gapMs: number;
  readonly backoff: BackoffPolicy;
}

/** Ships the buffer to the controller. */
export interface LogShipper {
  /** From now on the controller knows this agent by this session; undefined: it does not know it. */
  enrolled(session: Session | undefined): void;
  /** A record of this level is in the buffer. */
  appended(level: LogLevel): void;
  /**
   * Sends what is in the buffer now without waiting for more. Resolves with whether it arrived: false after the time,
   * and at once when the controller is not reached or does not know this agent. Never rejects.
   */
  flush(timeoutMs: number): Promise<boolean>;
  /** Stops shipping and aborts what is in transit. */
  stop(): Promise<void>;
}

interface Flush {
  readonly through: number;
  readonly resolve: (arrived: boolean) => void;
}

/**
 * Ships the buffer batch by batch: a second after a record was written, at once for a warning or worse and for a full
 * batch. What does not arrive is sent again until it does; the controller leaves out what it has. Nobody waits for it.
 *
 * @param parts.log the console alone: what goes wrong with the log must not become more of it
 */
export function createLogShipper(parts: {
  readonly buffer: LogBuffer;
  readonly reportLogs: LogReceiver["reportLogs"];
  readonly settings: ShippingSettings;
  readonly log: Pick<Logger, "info" | "warn">;
  /** The monotonic one that stamps the records. */
  readonly clock: Pick<Clock, "now">;
}): LogShipper {
  const { buffer, settings, log, clock } = parts;
  const stopping = new AbortController();
  const flushes = new Set<Flush>();
  let waits = backoff(settings.backoff);
  let session: Session | undefined;
  /** Records up to this sequence number are sent without waiting for more. */
  let urgentThrough = 0;
  let notBeforeMs = 0;
  let trouble: string | undefined;
  let bell = Promise.withResolvers<void>();

  const ring = (): void => bell.resolve();

  /** Waits for the bell, or for the given milliseconds. */
  const rung = async (withinMs?: number): Promise<void> => {
    const timer = withinMs === undefined ? undefined : setTimeout(ring, withinMs);
    await bell.promise;
    clearTimeout(timer);
    bell = Promise.withResolvers();
  };

  const endFlushes = (arrived: boolean, through: number): void => {
    for (const flush of flushes) {
      if (flush.through > through) continue;
      flushes.delete(flush);
      flush.resolve(arrived);
    }
  };

  /** How long until the next batch has to go; undefined while there is none, or nobody to send it to. */
  const dueInMs = (): number | undefined => {
    const { oldest, size } = buffer;
    if (session === undefined || oldest === undefined) return undefined;
    if (flushes.size > 0) return 0;
    const isDue = oldest.sequence <= urgentThrough || size >= settings.batch.records;
    return Math.max(notBeforeMs, isDue ? 0 : oldest.writtenAtMs + settings.intervalMs) - clock.now();
  };

  const forgetSession = (lost: Session): void => {
    // It may have registered again in the meantime.
    if (session === lost) session = undefined;
    endFlushes(false, Number.POSITIVE_INFINITY);
  };

  const send = async (known: Session): Promise<void> => {
    const records = buffer.batch(settings.batch);
    const { droppedCount } = buffer;
    let answer: LogReportAnswer;
    try {
      answer = await parts.reportLogs({ ...known, records, droppedCount, nowMs: clock.now() }, stopping.signal);
    } catch (error) {
      if (stopping.signal.aborted) return;
      const message = messageOf(error);
      if (message !== trouble) log.warn({ err: error }, "the log did not reach the controller; retrying");
      trouble = message;
      notBeforeMs = clock.now() + waits.next().value;
      endFlushes(false, Number.POSITIVE_INFINITY);
      return;
    }
    if (answer === "taken" && trouble !== undefined) log.info("the log is reaching the controller again");
    trouble = undefined;
    waits = backoff(settings.backoff);
    notBeforeMs = clock.now() + settings.gapMs;
    if (answer === "unknown") return forgetSession(known);
    if (answer === "unsupported") {
      log.info("the controller does not accept logs; keeping them here until one does");
      return forgetSession(known);
    }
    if (answer === "refused") {
      log.warn({ records: records.length }, "the controller refused part of the log; dropping it");
      buffer.discard(records);
    } else {
      buffer.release(records);
    }
    endFlushes(answer === "taken", records.at(-1)?.sequence ?? 0);
  };

  const ship = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const waitMs = dueInMs();
      if (waitMs === undefined || waitMs > 0) await rung(waitMs);
      else if (session !== undefined) await send(session);
    }
  };
  const shipping = ship();

  return {
    enrolled(known) {
      session = known;
      // The first chance to send everything logged so far.
      urgentThrough = buffer.lastSequence;
      ring();
    },
    appended(level) {
      if (level === "warn" || level === "error" || level === "fatal") urgentThrough = buffer.lastSequence;
      ring();
    },
    flush(timeoutMs) {
      if (buffer.size === 0) return Promise.resolve(true);
      if (session === undefined || stopping.signal.aborted) return Promise.resolve(false);
      return new Promise((resolve) => {
        const flush: Flush = {
          through: buffer.lastSequence,
          resolve(arrived) {
            clearTimeout(timer);
            resolve(arrived);
          },
        };
        const timer = setTimeout(() => {
          flushes.delete(flush);
          resolve(false);
        }, timeoutMs);
        flushes.add(flush);
        ring();
      });
    },
    async stop() {
      stopping.abort();
      endFlushes(false, Number.POSITIVE_INFINITY);
      ring();
      await shipping;
    },
  };
}
