import type { ChildProcess } from "node:child_process";
import path from "node:path";
import process from "node:process";
import { checkout } from "./checkout.ts";
import { type Console, createConsole } from "./console.ts";
import { ended, spawnLeashed } from "./leashed-process.ts";
import type { Network } from "./network.ts";
import { withoutPallet } from "./without-pallet.ts";

/** The controller's process on the rack's network. */
export interface ControllerProcess {
  /** What it logs. */
  readonly log: Console;
  /** Process id; undefined while it does not run. */
  pid(): number | undefined;
  start(): void;
  /** Ends it with SIGTERM, as a service manager would; resolves with its exit code when it is gone. */
  stop(): Promise<number | null>;
  /** Ends it with SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** Resolves when it is gone by itself or otherwise. */
  gone(): Promise<void>;
}

/** Prepares `controller serve --config FILE` on the management machine of the network; `start` starts it. */
export function createControllerProcess(network: Network, configFile: string): ControllerProcess {
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
      const program = [process.execPath, path.join(checkout, "controller/main.ts"), "serve", "--config", configFile];
      const child = spawnLeashed(
        "nsenter",
        [`--net=${network.namespace.path}`, "--", ...program],
        withoutPallet(process.env),
      );
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
      await running?.end;
    },
  };
}
