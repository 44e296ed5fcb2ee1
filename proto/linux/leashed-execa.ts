import type { ChildProcess } from "node:child_process";
import process from "node:process";
import { type Options, type ResultPromise, execa as start } from "execa";
import { leash } from "./leash.ts";

/**
 * execa, as every program of ours starts others. The same call, with three differences:
 *
 * - The program gets its own session, so Ctrl-C in a terminal, which goes to the terminal's process group, reaches only
 *   this process, which then ends its children in its own order. `detached: false` leaves a program that talks to the
 *   user, and decides itself what Ctrl-C means, in the group.
 * - It ends when this process does, even if that is killed: see `leash`. execa's own way (`cleanup`) does not cover
 *   SIGKILL, and takes over signals: signal-exit ends this process at once on a signal that nobody else listens for.
 * - `cancelSignal` also asks everything that it started to end: the compilers of make(1), the programs of a shell.
 */
export function execa<const Chosen extends Options = object>(
  program: string,
  args: readonly string[] = [],
  options?: Chosen,
): ResultPromise<Chosen> {
  const detached = options?.detached ?? true;
  const child = start(program, args, { ...options, detached, cleanup: false });
  const { pid } = child;
  if (pid !== undefined) {
    const ended = [leash(detached ? -pid : pid), ...(detached ? [cancelGroup(pid, options?.cancelSignal)] : [])];
    (child as unknown as ChildProcess).once("exit", () => {
      for (const forget of ended) forget();
    });
  }
  // What it resolves with depends on the caller's options alone.
  return child as unknown as ResultPromise<Chosen>;
}

/** execa for a program that has to continue when this process ends: the one that reboots the machine. */
export function execaOutliving<const Chosen extends Options = object>(
  program: string,
  args: readonly string[],
  options?: Chosen,
): ResultPromise<Chosen> {
  return start(program, args, { ...options, detached: true, cleanup: false }) as unknown as ResultPromise<Chosen>;
}

/** Asks a process group to end when the signal aborts; returns what forgets about it, for when its leader has ended. */
function cancelGroup(leader: number, signal: AbortSignal | undefined): () => void {
  const cancel = (): void => {
    try {
      process.kill(-leader, "SIGTERM");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  };
  signal?.addEventListener("abort", cancel, { once: true });
  return () => signal?.removeEventListener("abort", cancel);
}
