import type { ChildProcess } from "node:child_process";
import process from "node:process";
import { type Console, createConsole } from "../programs/console.ts";
import { ended, spawnLeashed } from "../programs/leashed-process.ts";
import { withoutPallet } from "../programs/without-pallet.ts";

/** The controller's process on the rack's network. */
export interface ControllerProcess {
  /** What it logs. */
  readonly log: Console;
  /** Process id, and id of its process group, in which it is alone; undefined while it does not run. */
  pid(): number | undefined;
  start(): void;
  /** Ends it with SIGTERM, as a service manager would; resolves with its exit code when it is gone. */
  stop(): Promise<number | null>;
  /** Ends it with SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** Resolves when it is gone by itself or otherwise, with its exit code unless a signal ended it. */
  gone(): Promise<number | null>;
}

/** Prepares a controller on the management machine: a program with its arguments that becomes "controller serve". */
export function createControllerProcess([program, ...args]: readonly [string, ...string[]]): ControllerProcess {
  const log = createConsole("controller");
  let running: { readonly process: ChildProcess; readonly end: Promise<number | null> } | undefined;
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (running === undefined) return null;
    running.process.kill(signal);
    return await running.end;
  };
  return {
    log,
    pid: () => running?.process.pid,
    start() {
      if (running !== undefined) throw new Error("the controller runs already");
      const child = spawnLeashed(program, args, withoutPallet(process.env));
      child.stdout?.setEncoding("utf8").on("data", log.append);
      child.stderr?.setEncoding("utf8").on("data", log.append);
      running = {
        process: child,
        end: ended(child).then(({ code, signal }) => {
          log.append(`rack: the controller ended (${signal ?? `exit code ${code}`})\n`);
          running = undefined;
          return code;
        }),
      };
    },
    stop: () => end("SIGTERM"),
    async kill() {
      await end("SIGKILL");
    },
    async gone() {
      return (await running?.end) ?? null;
    },
  };
}
