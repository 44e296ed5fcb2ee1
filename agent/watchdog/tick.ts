import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "pino";
import type { Clock } from "../../proto/time/clock.ts";
import { every } from "../../proto/time/every.ts";
import { parseGuardState } from "./parse-guard-state.ts";

/** What ticking needs. */
export interface Ticking {
  /** Where the initrd guards the watchdog: the folder of its files "state" and "tick", on a tmpfs. */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Logger;
}

const intervalMs = 5_000;

/**
 * Shows the guard of the hardware watchdog that this process is alive, now and every few seconds, until the returned
 * function is called. The guard (files/guard-watchdog of the root filesystem) lets the watchdog restart a node whose
 * agent has not ticked for minutes. Logs whether there is one.
 *
 * The ticks come from the event loop that also serves gRPC, by system calls that wait for no other thread: one that
 * came from elsewhere would show nothing.
 */
export function tick({ folder, clock, log }: Ticking): () => void {
  const text = readState(join(folder, "state"));
  if (text === undefined) return () => undefined;
  const state = parseGuardState(text);
  if (state === undefined) {
    log.warn({ state: text }, "the initrd is of another version: no watchdog guards this agent");
    return () => undefined;
  }
  if (state.kind === "off") log.info("no watchdog guards this agent: the kernel word pallet.watchdog=off disables it");
  if (state.kind === "none") log.info("no watchdog guards this agent: this board has none that the kernel supports");
  if (state.kind !== "on") return () => undefined;

  const { silenceSeconds } = state;
  log.info({ silenceSeconds }, "the watchdog restarts this node if its agent is silent for this long");
  const file = openSync(join(folder, "tick"), "w", 0o644);
  let ticks = 0;
  const write = (): void => {
    ticks += 1;
    // Always in the same place and as long, so that it continues when the tmpfs is full; with the process, as it may be
    // the next.
    const line = `${process.pid} ${ticks}`.padEnd(31);
    try {
      writeSync(file, `${line}\n`, 0);
    } catch (error) {
      log.error({ err: error }, "cannot show the watchdog's guard that the agent is alive");
    }
  };
  write();
  const stopped = new AbortController();
  every(clock, intervalMs, write, stopped.signal);
  return () => {
    stopped.abort();
    closeSync(file);
  };
}

function readState(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    // Missing: this system was not netbooted by Pallet.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
