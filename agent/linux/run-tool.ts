import { ExecaError } from "execa";
import { Failure } from "../../proto/failure.ts";
import { debianPackage, type Need } from "../../proto/linux/debian-package.ts";
import { execa } from "../../proto/linux/leashed-execa.ts";
import { systemPath } from "../../proto/linux/system-path.ts";

/** A run of a system tool. */
export interface ToolRun {
  /** Program, looked up in PATH and the sbin folders. */
  readonly tool: Need;
  readonly args: readonly string[];
  /** The task, for the message: "make a vfat filesystem on /dev/mmcblk0p1". */
  readonly task: string;
  /** Exit codes that are not failures; 0 only unless given. */
  readonly acceptedExitCodes?: readonly number[];
  /** Variables of the environment besides the agent's own. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/** The output of a successful tool. */
export interface ToolResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How long a tool may take to obey SIGTERM: cancelling must stop an operation within a second. */
const killAfterMs = 500;

/**
 * Runs a system tool without a shell, with its words in English and UTF-8.
 *
 * Throws a `Failure`: `cancelled` when the signal aborted it, otherwise `tool-failed` with the tool's own words, or
 * with the Debian package to install when it is missing.
 */
export async function runTool(run: ToolRun): Promise<ToolResult> {
  const { tool, args, task, signal, environment, acceptedExitCodes = [0] } = run;
  throwIfCancelled(signal, task);
  try {
    const { exitCode, stdout, stderr } = await execa(tool, args, {
      stdin: "ignore",
      env: { ...environment, LC_ALL: "C.UTF-8", PATH: systemPath(process.env["PATH"]) },
      forceKillAfterDelay: killAfterMs,
      ...(signal && { cancelSignal: signal }),
    });
    return { exitCode: exitCode ?? 0, stdout, stderr };
  } catch (error) {
    throwIfCancelled(signal, task);
    if (!(error instanceof ExecaError)) throw Failure.from(error);
    if (error.code === "ENOENT")
      throw new Failure(
        "tool-failed",
        `cannot ${task}: ${tool} is missing; install the Debian package ${debianPackage(tool)}`,
        {
          cause: error,
        },
      );
    if (error.exitCode !== undefined && acceptedExitCodes.includes(error.exitCode))
      return { exitCode: error.exitCode, stdout: String(error.stdout), stderr: String(error.stderr) };
    throw new Failure("tool-failed", `cannot ${task}: ${ownWords(error)}`, { cause: error });
  }
}

/** Throws a `cancelled` Failure when the signal has aborted. */
export function throwIfCancelled(signal: AbortSignal | undefined, task: string): void {
  if (signal?.aborted) throw new Failure("cancelled", `cancelled: ${task}`, { cause: signal.reason });
}

/** What the tool printed on stderr, in one line, or how it ended when it printed nothing. */
function ownWords(error: ExecaError): string {
  const words = String(error.stderr ?? "")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .join("; ");
  return words === "" ? error.shortMessage : words;
}
