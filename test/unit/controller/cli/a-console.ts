import { ChannelCredentials } from "@grpc/grpc-js";
import type { Effects, ServeCommand } from "../../../../controller/cli/connection/effects.ts";
import { runCommandLine } from "../../../../controller/cli/program.ts";
import { ControllerServiceClient } from "../../../../proto/gen/pallet/v1/controller.ts";
import type { StopSignal } from "../../../../proto/linux/stop-signals.ts";
import { type Clock, foregroundClock } from "../../../../proto/time/clock.ts";
import { now } from "./a-rollout.ts";

/** What is around a command line in a test. */
export interface ConsoleOptions {
  readonly socket?: string;
  /** stdin, stdout and stderr are a terminal of this size; without it they are pipes. */
  readonly terminal?: { readonly columns: number; readonly rows: number };
  readonly env?: Readonly<Record<string, string>>;
  /** What a person types, or what is piped in, line by line. */
  readonly input?: readonly string[];
  readonly serve?: ServeCommand;
  /** Called when the command has begun, with what presses Ctrl-C. */
  readonly onStart?: (press: (key: StopSignal) => void) => void;
  /** Called after each write to stdout or stderr. */
  readonly onWrite?: (
    told: { readonly stdout: string; readonly stderr: string },
    press: (key: StopSignal) => void,
  ) => void;
}

/** What a command line did. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const unexpected = () => Promise.reject(new Error("serve was not expected"));
const noServe: ServeCommand = { options: [], run: unexpected, check: unexpected, install: unexpected };

/** Runs a command line in this process, against the controller at a socket, at a moment that stands still. */
export async function run(argv: readonly string[], options: ConsoleOptions = {}): Promise<Outcome> {
  const { socket, terminal, env = {}, input = [], serve = noServe, onWrite, onStart } = options;
  const told = { stdout: "", stderr: "" };
  const stopListeners = new Set<(signal: StopSignal) => void>();
  const press = (signal: StopSignal) => {
    const listeners = [...stopListeners];
    stopListeners.clear();
    for (const listener of listeners) listener(signal);
  };
  const lines = [...input];
  const output = (name: "stdout" | "stderr") => ({
    write: (text: string) => {
      told[name] += text;
      onWrite?.(told, press);
    },
    binary: () => ({
      write: async (piece: Uint8Array) => {
        told[name] += Buffer.from(piece).toString("latin1");
      },
      keep: async () => undefined,
      discard: async () => undefined,
    }),
    isTerminal: terminal !== undefined,
    size: () => terminal ?? { columns: 80, rows: 24 },
  });
  // Waiting is short, so that reconnecting is quick; the time of day stands still, so that ages do not change.
  const clock: Clock = {
    now: () => now,
    setTimeout: (callback, ms, signal) => foregroundClock.setTimeout(callback, Math.min(ms, 20), signal),
  };
  const effects: Effects = {
    version: "1.2.3",
    connect: ({ name }) => new ControllerServiceClient(name, ChannelCredentials.createInsecure()),
    serve,
    broker: { run: () => Promise.reject(new Error("the broker was started")) },
    stdout: output("stdout"),
    stderr: output("stderr"),
    stdin: {
      isTerminal: terminal !== undefined,
      readLine: (signal) => (signal.aborted ? Promise.reject(signal.reason) : Promise.resolve(lines.shift())),
      bytes: async function* () {
        for (const line of lines) yield Buffer.from(line);
      },
    },
    env: { LANG: "C.UTF-8", ...(socket !== undefined && { PALLET_SOCKET: socket }), ...env },
    clock,
    monotonicClock: clock,
    random: () => 0,
    onStop: (listener) => {
      stopListeners.add(listener);
      onStart?.(press);
      return () => stopListeners.delete(listener);
    },
  };
  return { code: await runCommandLine(argv, effects), ...told };
}

/** The lines of JSON that a command wrote. */
export function jsonLines(text: string): Record<string, unknown>[] {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
