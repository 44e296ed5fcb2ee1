import type { ChildProcess } from "node:child_process";
import { homedir } from "node:os";
import { Failure } from "../../proto/failure.ts";
import { limits } from "../../proto/limits.ts";
import { endProcessGroup } from "../../proto/linux/end-process-group.ts";
import { errorCodeOf } from "../../proto/linux/error-code-of.ts";
import { execa } from "../../proto/linux/leashed-execa.ts";
import type { Clock } from "../../proto/time/clock.ts";
import { settlesWithin } from "../../proto/time/settles-within.ts";
import { answerTooLong, createAnswer } from "./answer.ts";
import { createTail } from "./tail.ts";

/** For how long to read what was said before the end, where somebody keeps the pipe open; milliseconds. */
const drainMs = 500;

/** How a program ended. */
type End =
  | { readonly kind: "exited"; readonly code: number | null; readonly signal: NodeJS.Signals | null }
  | { readonly kind: "not-started"; readonly code: string }
  | { readonly kind: "timed-out" }
  | { readonly kind: "cancelled" };

/**
 * Runs a program to its end, without a shell, with an environment of its own. However it ends, nothing of its process
 * group is left: what hangs is asked to end, and then killed. Throws a Failure (hook-failed) with the end of what it said
 * unless its exit code is 0, or the signal's reason when that aborts.
 *
 * Resolves with what it wrote to standard output, if that is read (`isAnswerRead`): then only what it wrote to standard
 * error is what it said, and an answer of more than `limits.hooks.answerBytes` is a failure.
 */
export async function runCommand(
  [program, ...args]: readonly [string, ...string[]],
  options: {
    readonly input: string;
    readonly variables: Readonly<Record<string, string>>;
    readonly timeoutMs: number;
    readonly signal: AbortSignal;
    /** A monotonic one. */
    readonly clock: Clock;
    /** Default false. */
    readonly isAnswerRead?: boolean;
  },
): Promise<string | undefined> {
  const { input, variables, timeoutMs, signal, clock, isAnswerRead = false } = options;
  signal.throwIfAborted();
  const running = execa(program, args, {
    ...{ cwd: "/", env: environment(variables), extendEnv: false, input, buffer: false, reject: false },
  });
  const child = running as unknown as ChildProcess;
  const said = createTail(limits.hooks.outputCharacters.most);
  const streams = [child.stdout, child.stderr].filter((stream) => stream !== null);
  const closed = streams.map((stream) => new Promise((resolve) => stream.once("close", resolve)));
  const answer = isAnswerRead ? createAnswer() : undefined;
  child.stdout?.on("data", (answer ?? said).add);
  child.stderr?.on("data", said.add);

  const over = new AbortController();
  const end = await Promise.race([
    new Promise<End>((resolve) =>
      child.once("exit", (code, signalled) => resolve({ kind: "exited", code, signal: signalled })),
    ),
    // It settles later than "exit" for what was started.
    ...(child.pid === undefined
      ? [running.then(({ cause }): End => ({ kind: "not-started", code: errorCodeOf(cause) ?? "unknown error" }))]
      : []),
    new Promise<End>((resolve) => clock.setTimeout(() => resolve({ kind: "timed-out" }), timeoutMs, over.signal)),
    new Promise<End>((resolve) => {
      signal.addEventListener("abort", () => resolve({ kind: "cancelled" }), { once: true, signal: over.signal });
    }),
  ]);
  over.abort();
  if (child.pid !== undefined) await endProcessGroup(child.pid, clock, limits.hooks.graceMs.most);
  await settlesWithin(clock, drainMs, Promise.all(closed));
  for (const stream of streams) stream.destroy();
  if (end.kind === "cancelled") throw signal.reason;
  if (end.kind === "exited" && end.code === 0) {
    const text = answer?.text();
    if (answer === undefined || text !== undefined) return text;
    throw new Failure("hook-failed", `${program} ${answerTooLong}`);
  }
  const found = said.text();
  throw new Failure(
    "hook-failed",
    `${program} ${describe(end, timeoutMs)}${lastWords(found)}`,
    found === "" ? {} : { found },
  );
}

/** Small and the same everywhere: what else a hook needs, it sets itself. */
function environment(variables: Readonly<Record<string, string>>): Record<string, string> {
  const path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  return { PATH: path, HOME: homedir(), LANG: "C.UTF-8", ...variables };
}

function describe(end: Exclude<End, { kind: "cancelled" }>, timeoutMs: number): string {
  switch (end.kind) {
    case "not-started":
      return `cannot be started (${end.code})`;
    case "timed-out":
      return `was ended after ${timeoutMs / 1000} s, its time limit (timeoutMs)`;
    case "exited":
      return end.signal === null ? `ended with exit code ${end.code}` : `was ended by ${end.signal}`;
  }
}

/** In one line, for an event. */
function lastWords(found: string): string {
  return found === "" ? ", and said nothing" : `; it said: ${found.split(/\s*\n\s*/).join(" | ")}`;
}
