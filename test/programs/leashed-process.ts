import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

/**
 * Starts a program that the kernel kills when this process ends, however it ends (prctl(2), PR_SET_PDEATHSIG), and that
 * no Ctrl-C in this process's terminal reaches: it is in a session of its own.
 * nsenter(1) and unshare(1) without --fork become the program by exec and so keep the leash.
 */
export function spawnLeashed(program: string, args: readonly string[], env?: NodeJS.ProcessEnv): ChildProcess {
  return spawn("setpriv", ["--pdeathsig", "KILL", program, ...args], {
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    ...(env !== undefined && { env }),
  });
}

/** Resolves when the process is gone and its output was read to the end. */
export function ended(child: ChildProcess): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
}

/** The first line of its standard output. Rejects when the process ends without one. */
export function firstLine(child: ChildProcess): Promise<string> {
  const { stdout } = child;
  if (stdout === null) throw new Error("the process has no standard output");
  return new Promise((resolve, reject) => {
    const lines = createInterface({ input: stdout });
    lines.once("line", resolve);
    lines.once("close", () => reject(new Error("the process ended before it said anything")));
    child.once("error", reject);
  });
}
