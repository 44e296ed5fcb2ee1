/** USER_HZ, which is 100 on every architecture of Debian (time(7)). */
const ticksPerSecond = 100;

/**
 * The processor time, in seconds, of a process and of all of its descendants that have ended and been waited for, by its
 * `/proc/PID/stat` (proc(5): utime, stime, cutime, cstime).
 */
export function processorSeconds(stat: string): number {
  // The name of the program, in parentheses, may itself contain spaces and parentheses.
  const fromState = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = fromState.slice(11, 15).map(Number);
  return ticks.reduce((sum, each) => sum + each, 0) / ticksPerSecond;
}
