import { Failure } from "../../proto/failure.ts";
import { type BackoffPolicy, backoff } from "../../proto/time/backoff.ts";
import type { Clock } from "../../proto/time/clock.ts";
import { pause } from "../../proto/time/pause.ts";
import type { Problem } from "./problem.ts";
import { renderProblem } from "./render-problems.ts";

/** What keeps nodes from booting, looked for again and again until nothing does. */
export interface ProblemWatch {
  /** A sentence for each problem. */
  now(): readonly string[];
}

/** How many checks to tolerate held ports: programs of a controller that has just ended may still hold them. */
const portChecks = 6;
const portDelayMs = 500;
const delays: BackoffPolicy = { firstMs: 5000, capMs: 60_000 };

/**
 * Looks for problems, logs each, and keeps looking, ever later, for as long as there are any; what changes is logged.
 * Throws Failure "invalid" that names every problem where one of them does not go away by itself.
 */
export async function watchProblems(options: {
  readonly find: () => Promise<readonly Problem[]>;
  readonly clock: Clock;
  readonly log: {
    info(details: object, message: string): void;
    warn(details: object, message: string): void;
    error(details: object, message: string): void;
  };
  readonly signal: AbortSignal;
}): Promise<ProblemWatch> {
  const { find, clock, log, signal } = options;
  let problems = await find();
  for (let check = 1; check < portChecks && problems.some(({ part }) => part === "ports"); check++) {
    await pause(clock, portDelayMs, signal);
    problems = await find();
  }
  if (problems.some(({ isFatal }) => isFatal)) {
    const lines = ["cannot serve:", ...problems.map((problem) => `  ${renderProblem(problem)}`)];
    throw new Failure("invalid", lines.join("\n"));
  }
  let told: readonly string[] = [];
  let waits = backoff(delays);
  tell();
  recheckLater(waits.next().value);

  function tell(): void {
    const now = problems.map(renderProblem);
    for (const line of now) if (!told.includes(line)) log.warn({}, line);
    if (now.length === 0 && told.length > 0) log.info({}, "nothing keeps nodes from booting any longer");
    told = now;
  }

  function recheckLater(delayMs: number): void {
    if (problems.length === 0) return;
    const recheck = async (): Promise<void> => {
      const before = told;
      problems = await find();
      tell();
      const isNew = told.length !== before.length || told.some((line) => !before.includes(line));
      if (isNew) waits = backoff(delays);
      recheckLater(waits.next().value);
    };
    clock.setTimeout(
      () => {
        recheck().catch((error: unknown) => {
          log.error({ err: error }, "could not check what keeps nodes from booting");
          recheckLater(delays.capMs);
        });
      },
      delayMs,
      signal,
    );
  }

  return { now: () => told };
}
