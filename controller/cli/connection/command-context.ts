import { Failure } from "../../../proto/failure.ts";
import type { StopSignal } from "../../../proto/linux/stop-signals.ts";
import type { Look } from "../render/style.ts";
import type { ControllerClient } from "./controller-client.ts";
import type { Effects } from "./effects.ts";

/** The reason with which a command's signal aborts when the process is asked to stop. */
export class StopRequested extends Error {
  readonly stopSignal: StopSignal;

  constructor(stopSignal: StopSignal) {
    super(`stopped by ${stopSignal}`);
    this.name = "StopRequested";
    this.stopSignal = stopSignal;
  }
}

/** The command line cannot be obeyed as it is: exit code 2, and nothing was done. */
export class UsageError extends Failure {
  constructor(message: string) {
    super("invalid", message);
    this.name = "UsageError";
  }
}

/** Options that every command which talks to the controller has. */
export interface CommonOptions {
  readonly json?: boolean;
}

/** What a command has to work with while it runs. */
export interface CommandContext {
  readonly effects: Effects;
  /** Aborts with a `StopRequested` when the process is asked to stop. */
  readonly signal: AbortSignal;
  /** What stdout can show. */
  readonly look: Look;
  readonly isJson: boolean;
  /** The gRPC target of the controller. */
  readonly target: string;
  /** The client of this command; closed when the command has ended. */
  readonly client: ControllerClient;
  /** Another client, for one that has to be connected anew. Its user closes it. */
  readonly connect: () => ControllerClient;
  /** Lines for stdout. Text from outside must have been made printable. */
  readonly print: (lines: readonly string[]) => void;
  /** One value as JSON on stdout, for people to read too. */
  readonly printJson: (value: unknown) => void;
  /** One value as one line of JSON on stdout, for streams. */
  readonly printJsonLine: (value: unknown) => void;
  /** Lines for the person who looks on, on stderr. Text from outside must have been made printable. */
  readonly note: (lines: readonly string[]) => void;
  /** The same, but left out where nobody looks on (stdout is no terminal, or `--json`). */
  readonly hint: (lines: readonly string[]) => void;
  /** A command line of this program, with the options by which this one reaches its controller. */
  readonly commandLine: (words: string) => string;
}

/**
 * The work of one command.
 *
 * @returns its exit code; none means done
 * @throws Failure, which is printed; the exit code is then 1
 */
export type Work<Arguments extends readonly unknown[], Options> = (
  context: CommandContext,
  options: Options & CommonOptions,
  ...args: Arguments
) => Promise<number | undefined>;

/** Makes the work of a command its commander action. */
export type Run = <Arguments extends readonly unknown[], Options>(
  work: Work<Arguments, Options>,
) => (...commanderArguments: unknown[]) => Promise<void>;
