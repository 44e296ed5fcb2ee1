import { constants, fstatSync, openSync, type Stats, writeSync } from "node:fs";
import process from "node:process";

/** Where a program's log goes, line by line. Writing never throws, and never waits for whoever reads or stores it. */
export interface LogDestination {
  write(line: string): void;
}

/** How much is kept for a reader that is behind, in bytes; what comes beyond it is lost. */
const maxPendingBytes = 256 * 1024;
/** How soon a reader that was behind is tried again, in milliseconds. */
const retryMs = 200;

/** What waits to be written: a line, or what says how many were lost. */
interface Entry {
  readonly bytes: Buffer;
  readonly tellsLost: number;
}

/**
 * The log of this program on its standard output (1) or standard error (2). A log may lose lines, but never the
 * program: on a full disk, in a pipe that nobody reads or that is closed, at a terminal that was stopped (Ctrl-S), the
 * line is dropped, and tried again with the next one. When writing works again, a line says how many were lost.
 *
 * pino's own destination (sonic-boom) retries for ever, on the program's only thread.
 */
export function createLogDestination(fd: 1 | 2, now: () => number = Date.now): LogDestination {
  const target = nonBlocking(fd);
  let pending: Entry[] = [];
  let pendingBytes = 0;
  let lost = 0;
  let reason = "";
  let endsLine = true;
  let retry: NodeJS.Timeout | undefined;

  function push(line: string, tellsLost = 0): void {
    const isAfterTorn = pending.length === 0 && !endsLine;
    const bytes = Buffer.from(isAfterTorn ? `\n${line}` : line);
    pending.push({ bytes, tellsLost });
    pendingBytes += bytes.length;
  }

  /** Writes all that is pending. Throws the error that stops it. */
  function flush(): void {
    for (let [first] = pending; first !== undefined; [first] = pending) {
      const { bytes, tellsLost } = first;
      const written = writeSync(target, bytes);
      pendingBytes -= written;
      endsLine = bytes[written - 1] === 0x0a;
      if (written < bytes.length) pending[0] = { bytes: bytes.subarray(written), tellsLost };
      else {
        pending.shift();
        lost -= tellsLost;
      }
    }
  }

  function tellLost(): void {
    if (lost === 0 || pending.length > 0) return;
    const msg = `${lost} ${lost === 1 ? "line" : "lines"} of this log were lost here: ${reason}`;
    push(`${JSON.stringify({ level: 40, time: now(), lost, msg })}\n`, lost);
  }

  function attempt(): void {
    clearTimeout(retry);
    try {
      flush();
      tellLost();
      flush();
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === "EAGAIN") {
        // Somebody may read later. Nothing else may come to be written, so a timer looks again.
        retry = setTimeout(attempt, retryMs).unref();
        return;
      }
      lost += pending.filter(({ tellsLost }) => tellsLost === 0).length;
      reason = message;
      pending = [];
      pendingBytes = 0;
    }
  }

  process.on("exit", attempt);

  return {
    write(line) {
      tellLost();
      if (pendingBytes < maxPendingBytes) push(line);
      else {
        lost += 1;
        reason = "nobody read it for a while";
      }
      attempt();
    },
  };
}

/** The descriptor to write to so that no write waits. A file needs none of this; its errors come at once. */
function nonBlocking(fd: 1 | 2): number {
  const stats = statusOf(fd);
  if (stats?.isFIFO() || stats?.isSocket()) {
    // Node makes pipes and sockets of these streams non-blocking when they are first touched.
    void (fd === 1 ? process.stdout : process.stderr);
    return fd;
  }
  if (!stats?.isCharacterDevice()) return fd;
  try {
    // Opened anew: the flag must not reach the other programs at that terminal.
    const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;
    return openSync(`/proc/self/fd/${fd}`, O_WRONLY | O_NONBLOCK | O_NOCTTY);
  } catch {
    // A terminal that another user owns, for example after su(1): it is written to as it is.
    return fd;
  }
}

function statusOf(fd: number): Stats | undefined {
  try {
    return fstatSync(fd);
  } catch {
    // Closed: each write says so.
    return undefined;
  }
}
