import type { Logger } from "pino";
import { type InstalledKernels, judgeKernels } from "../../proto/system/judge-kernels.ts";
import type { Clock } from "../../proto/time/clock.ts";
import { every } from "../../proto/time/every.ts";

/** What the watch needs. */
export interface KernelsWatch {
  /** Release of the running kernel (`uname -r`). */
  readonly running: string;
  readonly read: () => Promise<InstalledKernels>;
  readonly clock: Clock;
  readonly log: Pick<Logger, "debug" | "info" | "warn">;
}

/** Few folders are listed, and nothing is unpacked unless a file has changed: cheap enough for three times a minute. */
const intervalMs = 20_000;

/** The kernels and modules of the installed system, as they were last read. */
export interface WatchedKernels {
  /** Undefined while they could not be read. */
  current(): InstalledKernels | undefined;
  /** Resolves once they have been read for the first time, or could not be. */
  readonly ready: Promise<void>;
  stop(): void;
}

/**
 * Warns, once for each change, when an upgrade inside the installed system has parted its modules from the kernel that
 * the controller loads. Inspects them at once and then every 20 s; the controller is told by the node's facts.
 */
export function watchKernels({ running, read, clock, log }: KernelsWatch): WatchedKernels {
  let current: InstalledKernels | undefined;
  let told: string | undefined;
  const inspect = async (): Promise<void> => {
    try {
      current = await read();
    } catch (error) {
      log.debug({ err: error }, "could not look at the kernels and modules of this system");
      return;
    }
    const finding = judgeKernels(running, current);
    if (finding?.message === told) return;
    told = finding?.message;
    if (finding === undefined) log.info("the kernel and the modules on the card agree again");
    else log[finding.severity === "warning" ? "warn" : "info"](`this node ${finding.message}`);
  };
  const ready = inspect();
  const stopped = new AbortController();
  every(clock, intervalMs, inspect, stopped.signal);
  return { current: () => current, ready, stop: () => stopped.abort() };
}
