import process from "node:process";
import type { Clock } from "../time/clock.ts";
import { pause } from "../time/pause.ts";
import { errorCodeOf } from "./error-code-of.ts";

/** How often to look whether a process group has ended, in milliseconds. */
const lookEveryMs = 50;

/**
 * Ends a process group: asks all of it to end, and kills what is left of it after `graceMs` milliseconds. Resolves when
 * none is left, or all are killed. What has left the group (setsid(2)) is not ended.
 *
 * @param leader its id, which is the process id of its leader; that one may have ended already
 */
export async function endProcessGroup(leader: number, clock: Clock, graceMs: number): Promise<void> {
  if (!signalGroup(leader, "SIGTERM")) return;
  for (const until = clock.now() + graceMs; clock.now() < until; ) {
    await pause(clock, lookEveryMs);
    if (!signalGroup(leader, 0)) return;
  }
  signalGroup(leader, "SIGKILL");
}

/** Whether anybody is in that group. */
function signalGroup(leader: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-leader, signal);
    return true;
  } catch (error) {
    if (errorCodeOf(error) === "ESRCH") return false;
    throw error;
  }
}
