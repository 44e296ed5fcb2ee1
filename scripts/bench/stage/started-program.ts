import process from "node:process";
import { type Console, createConsole } from "../../../test/programs/console.ts";
import { ended, spawnLeashed } from "../../../test/programs/leashed-process.ts";
import { withoutPallet } from "../../../test/programs/without-pallet.ts";
import type { NetworkNamespace } from "../../../test/rack/network-namespace.ts";
import type { ControlGroup } from "../measure/control-group.ts";

/** Where a program runs: in whose account and on which network. */
export interface Place {
  readonly group: ControlGroup;
  readonly namespace: NetworkNamespace;
}

/** A program that runs until it is stopped. */
export interface StartedProgram {
  readonly pid: number;
  readonly log: Console;
  /** SIGTERM; resolves when it is gone. */
  stop(): Promise<void>;
}

/** Starts a program that is killed when this process ends, and resolves when it has printed `ready`. */
export async function startProgram(
  name: string,
  place: Place,
  command: readonly string[],
  ready: RegExp,
): Promise<StartedProgram> {
  const log = createConsole(name);
  const [program = "", ...args] = [...place.group.enter, "nsenter", `--net=${place.namespace.path}`, "--", ...command];
  const child = spawnLeashed(program, args, withoutPallet(process.env));
  child.stdout?.setEncoding("utf8").on("data", log.append);
  child.stderr?.setEncoding("utf8").on("data", log.append);
  const end = ended(child);
  const tooEarly = end.then(() => {
    throw new Error(`${name} ended:\n${log.tail(20)}`);
  });
  tooEarly.catch(() => {});
  await Promise.race([log.waitFor(ready), tooEarly]).catch((error: unknown) => {
    child.kill("SIGKILL");
    throw error;
  });
  if (child.pid === undefined) throw new Error(`${name} has no process id`);
  return {
    pid: child.pid,
    log,
    async stop() {
      child.kill("SIGTERM");
      await end;
    },
  };
}

/** Runs a program to its end; throws with what it printed unless it exits with 0. Returns its standard output. */
export async function runProgram(name: string, place: Place, command: readonly string[]): Promise<string> {
  const [program = "", ...args] = [...place.group.enter, "nsenter", `--net=${place.namespace.path}`, "--", ...command];
  const child = spawnLeashed(program, args, withoutPallet(process.env));
  let stdout = "";
  let printed = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    printed += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
  });
  const { code, signal } = await ended(child);
  if (code !== 0) throw new Error(`${name} ended with ${signal ?? `exit code ${code}`}: ${printed.slice(-2000)}`);
  return stdout;
}
