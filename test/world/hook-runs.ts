import type { HookMoment, RunHook } from "../../controller/hooks/hook.ts";
import { Failure } from "../../proto/failure.ts";
import type { Clock } from "../../proto/time/clock.ts";
import { pause } from "../../proto/time/pause.ts";
import type { Recorder } from "./history/history.ts";
import { gives, leaks, renderGift } from "./profiles.ts";
import type { Random } from "./random.ts";

export type HookFault = "fails" | "hangs" | "slow";

/** The hooks that an operator has. The last one is for no node. */
export const hooks: readonly { readonly name: string; readonly when: HookMoment; readonly gives?: true }[] = [
  { name: "drain", when: "before-reimage", gives: true },
  { name: "silence", when: "before-reimage" },
  { name: "uncordon", when: "after-proved" },
  { name: "greet", when: "after-configured" },
  { name: "enter", when: "after-configured" },
  { name: "alarm", when: "after-failed" },
  { name: "nobody", when: "after-proved" },
];

/** They as lines of the configuration. */
export function renderHooks(): string {
  const lines = hooks.map(
    ({ name, when, gives: isGiving }) =>
      `  - {name: ${name}, when: ${when}, command: [/usr/bin/${name}], timeoutMs: 120000` +
      `${name === "nobody" ? ", labelSelector: rack=nowhere" : ""}` +
      `${isGiving ? `, gives: ${JSON.stringify(gives)}` : ""}}`,
  );
  return `hooks:\n${lines.join("\n")}\n`;
}

/**
 * Runs hooks as the controller's machine would: they take their time, which is the controller's, and end with it.
 *
 * @param nextFault what becomes of the next one of that moment
 * @param giftOf what it gives, where it gives something
 */
export function createHookRuns({
  clock,
  random,
  recorder: { note },
  nextFault,
  giftOf,
}: {
  readonly clock: Clock;
  readonly random: Random;
  readonly recorder: Recorder;
  readonly nextFault: (when: HookMoment) => HookFault | undefined;
  readonly giftOf: (reimage: string) => string;
}): RunHook {
  return async ({ timeoutMs, gives: isGiving }, { id, hook, when, nodeId, body }, signal) => {
    const fault = nextFault(when);
    const { timestamp, data } = JSON.parse(body) as {
      readonly timestamp: string;
      readonly data: {
        readonly reimage: {
          readonly id: string;
          readonly phase: string;
          readonly failure: { readonly message: string } | null;
        };
      };
    };
    const { id: reimage, phase, failure } = data.reimage;
    const about = { what: "hook", id, hook, when } as const;
    const told = `${phase}${failure === null ? "" : `: ${failure.message}`}`;
    note({ ...about, is: "begun", node: nodeId, reimage, told, timestamp });
    if (leaks(body)) note({ what: "leak", where: `what the hook ${hook} is told` });
    const fail = (why: string): never => {
      note({ ...about, is: "failed" });
      throw new Failure("hook-failed", why);
    };
    try {
      if (fault === "hangs") await pause(clock, timeoutMs, signal);
      else await pause(clock, fault === "slow" ? random.between(30_000, 110_000) : random.between(5, 20_000), signal);
    } catch (error) {
      note({ ...about, is: "ended" });
      throw error;
    }
    if (fault === "hangs") fail("its time limit is over");
    if (fault === "fails") fail("exit code 1");
    const gift = isGiving && giftOf(reimage);
    note({ ...about, is: "succeeded", ...(gift !== undefined && { gave: gift }) });
    return gift === undefined ? undefined : renderGift(gift);
  };
}
