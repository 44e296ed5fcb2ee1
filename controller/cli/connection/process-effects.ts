import { createInterface } from "node:readline";
import { onStopSignal } from "../../../proto/linux/stop-signals.ts";
import { foregroundClock, monotonicClock } from "../../../proto/time/clock.ts";
import type { Input, Output, ProcessEffects } from "./effects.ts";

function createOutput(stream: NodeJS.WriteStream): Output {
  return {
    write: (text) => {
      stream.write(text);
    },
    binary: () => ({
      write: (piece) => new Promise((resolve) => void stream.write(piece, () => resolve())),
      keep: async () => undefined,
      discard: async () => undefined,
    }),
    isTerminal: stream.isTTY === true,
    size: () => ({ columns: stream.columns || 80, rows: stream.rows || 24 }),
  };
}

function createInput(stream: NodeJS.ReadStream): Input {
  return {
    isTerminal: stream.isTTY === true,
    readLine: (signal) =>
      new Promise((resolve, reject) => {
        signal.throwIfAborted();
        stream.ref?.();
        // `terminal: false` leaves the terminal in cooked mode, where Ctrl-C is a signal as usual.
        const lines = createInterface({ input: stream, terminal: false });
        const onAbort = () => {
          reject(signal.reason);
          lines.close();
        };
        signal.addEventListener("abort", onAbort, { once: true });
        lines.once("line", (line) => {
          resolve(line);
          lines.close();
        });
        lines.once("close", () => {
          signal.removeEventListener("abort", onAbort);
          resolve(undefined);
          // Otherwise an open stdin would keep the process alive.
          stream.pause();
          stream.unref?.();
        });
      }),
    bytes: () => stream,
  };
}

/**
 * The effects of this process. If the reader of its output goes away (`controller events | head`), the process ends
 * quietly, with the exit status of a process that SIGPIPE killed.
 */
export function createProcessEffects(): ProcessEffects {
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit(128 + 13);
      throw error;
    });
  return {
    stdout: createOutput(process.stdout),
    stderr: createOutput(process.stderr),
    stdin: createInput(process.stdin),
    env: process.env,
    clock: foregroundClock,
    monotonicClock: { ...foregroundClock, now: monotonicClock.now },
    random: Math.random,
    onStop: onStopSignal,
  };
}
