import type { Options } from "execa";
import { Failure } from "../../proto/failure.ts";
import { execa } from "../../proto/linux/leashed-execa.ts";

/** How many of the last lines of a tool's output an error includes. */
const toldLines = 8;

/**
 * Runs a program and returns its standard output. Throws Failure "cancelled" when the signal aborts, otherwise
 * "tool-failed" with what was attempted and the end of what the program said.
 */
export async function runTool(
  attempt: string,
  [program, ...args]: readonly [string, ...string[]],
  options: {
    readonly cwd?: string;
    readonly env?: Record<string, string>;
    readonly signal?: AbortSignal | undefined;
  } = {},
): Promise<string> {
  const { signal, ...rest } = options;
  const settings = { ...rest, stdin: "ignore", all: true, ...(signal && { cancelSignal: signal }) } satisfies Options;
  try {
    const { stdout } = await execa(program, args, settings);
    return stdout;
  } catch (cause) {
    if (signal?.aborted) throw new Failure("cancelled", `${attempt}: cancelled`, { cause });
    const { all, shortMessage } = cause as { all?: string; shortMessage?: string };
    const said = all?.trim().split("\n").slice(-toldLines).join("\n");
    throw new Failure("tool-failed", `${attempt}: ${shortMessage ?? program}${said ? `\n${said}` : ""}`, { cause });
  }
}
