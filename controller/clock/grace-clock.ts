import type { BootMoment } from "../../proto/time/boot-moment.ts";
import type { Clock } from "../../proto/time/clock.ts";
import { createClockReader } from "./read-clock.ts";

/** For how long after a jump, in milliseconds: the longest boot and the longest write end in that. */
const graceMs = 60 * 60_000;
/** Corrections are no jumps, in milliseconds. */
const leastJumpMs = 60_000;

/**
 * The time by which what was issued before a jump of the clock is still judged: for an hour after the clock was set ahead, it goes
 * on as if it had not been. A machine that learns after weeks without a network which year it is must not cut off the boots and
 * writes that are under way. For what was issued after the jump, ask the clock itself.
 */
export function createGraceClock(clock: Pick<Clock, "now">, moment: () => BootMoment): Pick<Clock, "now"> {
  const read = createClockReader(clock, moment, leastJumpMs);
  let jumps: readonly { readonly byMs: number; readonly untilMs: number }[] = [];
  return {
    now() {
      const { at, setByMs } = read();
      const passedMs = moment().ms;
      jumps = jumps.filter(({ untilMs }) => untilMs > passedMs);
      if (setByMs > 0) jumps = [...jumps, { byMs: setByMs, untilMs: passedMs + graceMs }];
      // Set back by as much, it is where it was.
      if (setByMs < 0) jumps = [];
      return at - jumps.reduce((sum, jump) => sum + jump.byMs, 0);
    },
  };
}
