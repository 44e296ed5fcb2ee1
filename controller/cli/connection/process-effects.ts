import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { onStopSignal } from "../../../proto/linux/stop-signals.ts";
import type { Input, Output, ProcessEffects } from "./effects.ts";

function createOutput(stream: NodeJS.WriteStream): Output {
  return {
    write: (text) => {
      stream.write(text);
    },
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
        // `terminal: false` leaves the terminal in its cooked mode, where Ctrl-C is a signal like everywhere else.
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
          // Otherwise the process would not end before its stdin does.
          stream.pause();
          stream.unref?.();
        });
      }),
    bytes: () => stream,
  };
}

/**
 * The effects of this process. A reader of the output that went away (`controller events | head`) ends the process
 * quietly with the status of one that was ended by SIGPIPE.
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
    clock: {
      now: () => Date.now(),
      delay: (ms, signal) => delay(ms, undefined, signal && { signal }),
    },
    random: Math.random,
    onStop: onStopSignal,
  };
}
