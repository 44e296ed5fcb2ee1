import { exitCodeOfSignal, onStopSignal, type StopSignal } from "../proto/linux/stop-signals.ts";

/** The user's request to stop, by Ctrl-C or SIGTERM. */
export class Interrupted extends Error {
  readonly exitCode: number;

  constructor(signal: StopSignal) {
    super(`stopped by ${signal}`);
    this.exitCode = exitCodeOfSignal(signal);
  }
}

/** How a script learns of the user's request to stop. */
export interface Interruption {
  /** Aborts with it. */
  readonly signal: AbortSignal;
  /**
   * What the work comes to, unless the user wants to stop before or in the meantime: then it rejects with
   * `Interrupted`.
   */
  unlessInterrupted<T>(work: () => Promise<T>): Promise<T>;
  /** Rejects with `Interrupted` once the user wants to stop. */
  readonly interrupted: Promise<never>;
}

/** Listens to the signals that ask to stop from now on; a second one ends the process at once. */
export function listenForInterruption(): Interruption {
  const stopping = new AbortController();
  const { promise: interrupted, reject } = Promise.withResolvers<never>();
  interrupted.catch(() => undefined);
  onStopSignal((signal) => {
    const interruption = new Interrupted(signal);
    reject(interruption);
    stopping.abort(interruption);
  });
  return {
    signal: stopping.signal,
    interrupted,
    async unlessInterrupted(work) {
      stopping.signal.throwIfAborted();
      return await Promise.race([work(), interrupted]);
    },
  };
}
