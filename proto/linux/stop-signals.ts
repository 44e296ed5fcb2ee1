import { readFileSync } from "node:fs";
import { constants } from "node:os";
import process from "node:process";

/** Signals that ask a program to stop. */
export type StopSignal = "SIGINT" | "SIGTERM";

const stopSignals: readonly StopSignal[] = ["SIGINT", "SIGTERM"];

/** The exit code of a program that a signal stopped: 128 and the number of the signal, as shells have it. */
export function exitCodeOfSignal(signal: StopSignal): number {
  return 128 + constants.signals[signal];
}

/**
 * Calls the listener for the first signal that asks to stop. A second one ends this process at once, with the exit code
 * of that signal; what it still runs ends by its leash (leashed-execa.ts). A terminal's Ctrl-C
 * reaches a script directly, and once more through npm, however much later: below npm, that repetition is not a second signal.
 *
 * @returns what has signals do again what they do by default
 */
export function onStopSignal(listener: (signal: StopSignal) => void): () => void {
  let first: StopSignal | undefined;
  let isEchoed = false;
  const handler = (signal: StopSignal): void => {
    if (first === undefined) {
      first = signal;
      listener(signal);
    } else if (signal === first && !isEchoed && isScriptOfNpm()) {
      isEchoed = true;
    } else {
      process.exit(exitCodeOfSignal(signal));
    }
  };
  // Do not remove it: removing a running listener would leave the signal to other listeners, or to none.
  for (const signal of stopSignals) process.on(signal, handler);
  return () => {
    for (const signal of stopSignals) process.removeListener(signal, handler);
  };
}

/** Whether npm started this process, without a shell that stays between them. */
function isScriptOfNpm(): boolean {
  try {
    return readFileSync(`/proc/${process.ppid}/comm`, "utf8").startsWith("npm ");
  } catch {
    // It is gone.
    return false;
  }
}
