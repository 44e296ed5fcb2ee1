import process from "node:process";
import { createInterface } from "node:readline";
import { Failure } from "../../proto/failure.ts";
import { execa } from "../../proto/linux/leashed-execa.ts";
import { systemPath } from "../../proto/linux/system-path.ts";
import type { Clock } from "../../proto/time/clock.ts";
import { restartDelayMs } from "./restart-delay.ts";

/** A program that runs for as long as the controller does. */
export interface SupervisedProcess {
  /** Sends a signal to it; does nothing if it is not running. */
  signal(name: "SIGHUP"): void;
  /** Ends it so that it restarts at once, with what it reads then. Resolves when the old one is gone. */
  renew(): Promise<void>;
  /** Ends it, and resolves when it is gone. */
  close(): Promise<void>;
}

/** What to run, and how to know it. */
export interface SupervisedProgram {
  /** For a person: "dnsmasq". */
  readonly name: string;
  /** Program and arguments. It must stay in the foreground. */
  readonly command: readonly [program: string, ...rest: string[]];
  /** Whether the line, of its output, says that it is ready. */
  isReady(line: string): boolean;
  /** A sentence that says why it ended, made from the last lines of its output. */
  explainEnd(lines: readonly string[]): string;
  onLine(line: string): void;
  /** Called when it had to be started again and is ready. */
  onRestart?(): void;
  /** How it is asked to end; it is killed if it has not ended after three seconds. */
  readonly stopSignal: "SIGTERM" | "SIGKILL";
}

export interface SupervisorOptions {
  /** Monotonic. */
  readonly clock: Clock;
  readonly log: {
    info(details: object, message: string): void;
    error(details: object, message: string): void;
  };
}

/** How long a program may take until it says that it is ready, in milliseconds. */
const readyTimeoutMs = 30_000;
/** How many lines of output are kept to explain an end. */
const keptLines = 20;

/** Environment of system programs: an operator's PATH may lack the folders of what only root runs. */
export const systemEnvironment: { readonly PATH: string } = {
  PATH: systemPath(process.env["PATH"]),
};

/**
 * Starts a program and starts it again, ever later, when it ends. The kernel ends it when the controller dies, however
 * that dies (PR_SET_PDEATHSIG, prctl(2)). Resolves when it is ready; throws a Failure when the first start fails.
 */
export async function superviseProcess(
  program: SupervisedProgram,
  { clock, log }: SupervisorOptions,
): Promise<SupervisedProcess> {
  const { name } = program;
  const closing = new AbortController();
  let running = start(program);
  try {
    await running.ready;
  } catch (error) {
    closing.abort();
    await running.stop();
    throw error;
  }
  let attempt = 0;
  let renewed: RunningProgram | undefined;
  watch(running, clock.now());

  function watch(current: RunningProgram, startedAt: number): void {
    current.ended.then((why) => {
      if (closing.signal.aborted) return;
      if (current === renewed) {
        restart();
        return;
      }
      attempt = clock.now() - startedAt >= 60_000 ? 0 : attempt + 1;
      const delayMs = restartDelayMs(attempt);
      log.error({ why, delayMs }, `${name} ended; restarting it`);
      clock.setTimeout(restart, delayMs, closing.signal);
    });
  }

  function restart(): void {
    running = start(program);
    const restarted = running;
    restarted.ready.then(
      () => {
        log.info({}, `${name} is running again`);
        program.onRestart?.();
      },
      // Reported by `ended`.
      () => restarted.stop(),
    );
    watch(restarted, clock.now());
  }

  return {
    signal: (signalName) => running.signal(signalName),
    async renew() {
      renewed = running;
      await running.stop();
    },
    async close() {
      closing.abort();
      await running.stop();
    },
  };
}

interface RunningProgram {
  /** Rejects with a Failure when it ends before or takes too long. */
  readonly ready: Promise<void>;
  /** Resolves with the reason. */
  readonly ended: Promise<string>;
  signal(name: "SIGHUP"): void;
  stop(): Promise<void>;
}

function start(program: SupervisedProgram): RunningProgram {
  const { name, command, stopSignal } = program;
  const leash = stopSignal === "SIGKILL" ? "KILL" : "TERM";
  const child = execa("setpriv", ["--pdeathsig", leash, ...command], {
    all: true,
    buffer: false,
    reject: false,
    stdin: "ignore",
    forceKillAfterDelay: 3000,
    env: systemEnvironment,
  });
  const lines: string[] = [];
  const ready = Promise.withResolvers<void>();
  // Whoever awaits it gets the error; after a failed restart nobody does.
  ready.promise.catch(() => undefined);
  const late = setTimeout(() => {
    ready.reject(new Failure("tool-failed", `${name} is not ready after ${readyTimeoutMs / 1000} s`));
  }, readyTimeoutMs);
  const outputEnded = new Promise<void>((resolve) => {
    const reader = createInterface({ input: child.all, crlfDelay: Number.POSITIVE_INFINITY });
    reader.on("close", resolve);
    reader.on("line", (line) => {
      lines.push(line);
      if (lines.length > keptLines) lines.shift();
      if (program.isReady(line)) ready.resolve();
      program.onLine(line);
    });
  });
  const ended = Promise.all([child, outputEnded]).then(([result]) => {
    clearTimeout(late);
    const how = result.signal === undefined ? `exit code ${result.exitCode}` : result.signal;
    const why = `${program.explainEnd(lines)} (${how})`;
    ready.reject(new Failure("tool-failed", `${name} does not run: ${why}`, { cause: result }));
    return why;
  });
  return {
    ready: ready.promise,
    ended,
    signal: (signalName) => {
      child.kill(signalName);
    },
    async stop() {
      child.kill(stopSignal);
      await ended;
    },
  };
}
