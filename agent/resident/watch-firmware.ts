import type { Logger } from "pino";
import type { Clock } from "../../proto/time/clock.ts";
import { every } from "../../proto/time/every.ts";

/** What the watch needs. */
export interface FirmwareWatch {
  /** Paths of firmware files that were renamed and are back. */
  readonly read: () => Promise<readonly string[]>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Upgrades take minutes; if the node is restarted right after one, the warning comes too late. */
const intervalMs = 60_000;

/**
 * Warns, once each time, when an upgrade of the installed system has put back firmware that a reimage had renamed: the
 * next boot would be the card's own, and the controller would not see the node again. The resident agent may only
 * report, so it changes nothing. Inspects it at once and then every minute, until the returned function is called.
 */
export function watchFirmware({ read, clock, log }: FirmwareWatch): () => void {
  let told = "";
  const inspect = async (): Promise<void> => {
    const files = (await read()).join(", ");
    if (files === told) return;
    told = files;
    if (files === "") log.info("the firmware on the card is out of the way again");
    else
      log.warn(
        { files },
        `${files} is back, probably because of an upgrade: a board that tries its card first will boot it at the next start, ` +
          "and the controller will lose the node; rename it before that",
      );
  };
  const inspectOrLog = (): void => {
    inspect().catch((error: unknown) => log.debug({ err: error }, "could not inspect the firmware on the card"));
  };
  inspectOrLog();
  const stopped = new AbortController();
  every(clock, intervalMs, inspectOrLog, stopped.signal);
  return () => stopped.abort();
}
