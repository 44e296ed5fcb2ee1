import type { Clock } from "../../proto/time/clock.ts";

/** For how long after a jump, in milliseconds: the longest boot and the longest write end in that. */
const graceMs = 60 * 60_000;
/** Corrections are no jumps, in milliseconds. */
const leastJumpMs = 60_000;

/**
 * The time by which what was issued before a jump of the clock is still judged: for an hour after the clock was set ahead, it goes
 * on as if it had not been. A machine that learns after weeks without a network which year it is must not cut off the boots and
 * writes that are under way. For what was issued after the jump, ask the clock itself.
 */
export function createGraceClock(clock: Pick<Clock, "now">, monotonic: Pick<Clock, "now">): Pick<Clock, "now"> {
  let offsetMs = clock.now() - monotonic.now();
  let jumps: readonly { readonly byMs: number; readonly untilMs: number }[] = [];
  return {
    now() {
      const [now, passedMs] = [clock.now(), monotonic.now()];
      const byMs = now - passedMs - offsetMs;
      offsetMs = now - passedMs;
      jumps = jumps.filter(({ untilMs }) => untilMs > passedMs);
      if (byMs >= leastJumpMs) jumps = [...jumps, { byMs, untilMs: passedMs + graceMs }];
      // Set back by as much, it is where it was.
      if (byMs <= -leastJumpMs) jumps = [];
      return now - jumps.reduce((sum, jump) => sum + jump.byMs, 0);
    },
  };
}
