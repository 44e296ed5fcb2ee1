import { Failure } from "../../../proto/failure.ts";
import type { StopSignal } from "../../../proto/linux/stop-signals.ts";
import type { Look } from "../render/style.ts";
import type { ControllerClient } from "./controller-client.ts";
import type { Effects } from "./effects.ts";

/** The reason with which a command's signal aborts if the process is asked to stop. */
export class StopRequested extends Error {
  readonly stopSignal: StopSignal;

  constructor(stopSignal: StopSignal) {
    super(`stopped by ${stopSignal}`);
    this.name = "StopRequested";
    this.stopSignal = stopSignal;
  }
}

/** The command line is invalid: exit code 2, and nothing was done. */
export class UsageError extends Failure {
  constructor(message: string) {
    super("invalid", message);
    this.name = "UsageError";
  }
}

/** How a list is printed that is no table as wide as the terminal. */
export type ListFormat = "wide" | "json" | "yaml" | "name";

/** Options shared by every command that talks to the controller. */
export interface CommonOptions {
  readonly json?: boolean;
  /** Of lists. */
  readonly format?: ListFormat;
}

/** Whether JSON is asked for, by either name. */
export function wantsJson({ json, format }: CommonOptions): boolean {
  return json === true || format === "json";
}

/** What a command can use while it runs. */
export interface CommandContext {
  readonly effects: Effects;
  /** Aborts with a `StopRequested` if the process is asked to stop. */
  readonly signal: AbortSignal;
  /** What stdout can show. */
  readonly look: Look;
  readonly isJson: boolean;
  /** The gRPC target of the controller. */
  readonly target: string;
  /** The client of this command; closed when the command ends. */
  readonly client: ControllerClient;
  /** A second client, for reconnecting. The caller closes it. */
  readonly connect: () => ControllerClient;
  /** Lines for stdout. Text from outside must have been made printable. */
  readonly print: (lines: readonly string[]) => void;
  /** One value as JSON on stdout, for people to read too. */
  readonly printJson: (value: unknown) => void;
  /** One value as one line of JSON on stdout, for streams. */
  readonly printJsonLine: (value: unknown) => void;
  /** Lines for the person watching, on stderr. Text from outside must have been made printable. */
  readonly note: (lines: readonly string[]) => void;
  /** The same, but only if a person is watching (stdout is a terminal, and no `--json`). */
  readonly hint: (lines: readonly string[]) => void;
  /** A command line of this program, with the options that this one reaches its controller by. */
  readonly commandLine: (words: string) => string;
}

/**
 * The work of one command.
 *
 * @returns its exit code; undefined means done
 * @throws Failure, which is printed; the exit code is then 1
 */
export type Work<Arguments extends readonly unknown[], Options> = (
  context: CommandContext,
  options: Options & CommonOptions,
  ...args: Arguments
) => Promise<number | undefined>;

/** Turns the work of a command into its commander action. */
export type ToAction = <Arguments extends readonly unknown[], Options>(
  work: Work<Arguments, Options>,
) => (...commanderArguments: unknown[]) => Promise<void>;
