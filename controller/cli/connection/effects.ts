import type { ControllerServiceClient } from "../../../proto/gen/pallet/v1/controller.ts";
import type { StopSignal } from "../../../proto/linux/stop-signals.ts";
import type { Clock } from "../../../proto/time/clock.ts";
import type { CheckReport } from "../../check/check-serving.ts";
import type { ServeOption } from "../../config/document-config.ts";

/** Bytes for a program: no more than its reader takes. */
export interface BinaryOutput {
  write(piece: Uint8Array): Promise<void>;
  /** Everything is handed over when it resolves. */
  keep(): Promise<void>;
  discard(): Promise<void>;
}

/** Where output for a person or a program goes. */
export interface Output {
  write(text: string): void;
  /** The same for bytes. */
  binary(): BinaryOutput;
  readonly isTerminal: boolean;
  /** Current size in characters; it changes with the window. Anything but a terminal counts as 80 by 24. */
  size(): { readonly columns: number; readonly rows: number };
}

/** Where a person's answers, or the bytes of a file, come from. */
export interface Input {
  readonly isTerminal: boolean;
  /** The next line without its newline; undefined at the end of the input. Rejects when the signal aborts. */
  readLine(signal: AbortSignal): Promise<string | undefined>;
  /** Everything up to the end of the input. */
  bytes(): AsyncIterable<Uint8Array>;
}

/** What `controller serve` does: the configuration declares its options, the wiring does the work. */
export interface ServeCommand {
  readonly options: readonly ServeOption[];
  /** Text below the options in `serve --help`, for example examples. */
  readonly help?: string;
  /**
   * Serves until the signal aborts, and resolves once everything is closed.
   *
   * @param values the given options by their camel-case names ("--data-dir X" gives `dataDir: "X"`): a string, or true
   * for an option without an argument. Options that were not given are absent.
   * @throws Failure for a bad configuration; its message is printed and the exit code is 1.
   */
  run(values: Readonly<Record<string, string | boolean>>, signal: AbortSignal): Promise<void>;
  /** Installs the missing Debian packages that serving needs, without starting their services. Throws as `run` does. */
  install(values: Readonly<Record<string, string | boolean>>, log: (line: string) => void): Promise<void>;
  /** Checks for everything that would keep a node from booting, and starts nothing. Throws as `run` does. */
  check(values: Readonly<Record<string, string | boolean>>): Promise<CheckReport>;
}

/** What `controller broker` does, which systemd starts (see controller/privileges). */
export interface BrokerCommand {
  /** Serves until the signal aborts or nobody asks for anything. Throws a Failure where it cannot. */
  run(options: BrokerRun, signal: AbortSignal): Promise<void>;
}

export interface BrokerRun {
  /** The user that may ask. */
  readonly user: string;
  /** A folder of root's alone. */
  readonly directory: string;
  /** Default: the configuration's usual file. */
  readonly config?: string;
  /** Where to listen; default: the socket that systemd hands over. */
  readonly socket?: string;
}

/** What the command line needs from its process, apart from the controller and `serve`. */
export interface ProcessEffects {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly stdin: Input;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Its timers keep the process alive. */
  readonly clock: Clock;
  /** For durations. Its timers keep the process alive, too. */
  readonly monotonicClock: Clock;
  /** A number in [0, 1). */
  readonly random: () => number;
  /**
   * Calls the listener for the first stop signal instead of ending the process; a second signal ends it at once, with
   * exit code 128 + its number. Returns a function that removes the listener.
   */
  readonly onStop: (listener: (signal: StopSignal) => void) => () => void;
}

/** Where the controller is, and by what file one proves to it who one is; absent at the socket, which knows. */
export interface Target {
  /** As gRPC reads it: "unix:PATH" or "HOST:PORT". */
  readonly name: string;
  readonly bundle?: string;
}

/** Every side effect of the command line goes through this. */
export interface Effects extends ProcessEffects {
  /** Version of the program, for `--version`. */
  readonly version: string;
  /**
   * A new client for the controller. Give its channel the `controllerChannelOptions` of controller-client.ts. The
   * command line closes it. Throws a Failure when the target's bundle cannot be used.
   */
  readonly connect: (target: Target) => ControllerServiceClient;
  readonly serve: ServeCommand;
  readonly broker: BrokerCommand;
}
