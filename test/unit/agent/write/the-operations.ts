import { pino } from "pino";
import { admitDevice } from "../../../../agent/disk/admit-device.ts";
import { createExecutors } from "../../../../agent/executors/create-executors.ts";
import { createOperations, type Operations } from "../../../../agent/operations/operations.ts";
import { monotonicClock, systemClock } from "../../../../proto/time/clock.ts";
import { impatient } from "../fetch/fetch-settings.ts";

/** The operations of a netbooted agent, with the real guard, for tests on loop devices. */
export function theOperations(): Operations {
  return createOperations({
    executors: createExecutors({
      admitDevice,
      fetchSettings: { ...impatient, idleTimeoutMs: 60_000, giveUpAfterMs: 60_000 },
      residentProgram: undefined,
    }),
    role: "netboot",
    clock: systemClock,
    monotonicClock,
    log: pino({ level: "silent" }),
  });
}
