import { once } from "node:events";
import { Failure } from "../../../proto/failure.ts";
import { execa } from "../../../proto/linux/leashed-execa.ts";
import { systemPath } from "../../../proto/linux/system-path.ts";

/** A mount namespace of its own: what is mounted in it nobody else sees, and it goes with the process that holds it. */
export interface MountSpace {
  /**
   * Runs a program in it. Throws Failure `tool-failed` for an exit code that is not in `expected` (default: 0), and
   * `cancelled` by the signal.
   *
   * @returns standard output, as Latin-1
   */
  run(command: string, args: readonly string[], options: SpaceRun): Promise<string>;
  /** The same path as seen from outside. */
  pathOf(path: string): string;
  /** Ends it, and every mount in it that is still there. */
  close(): Promise<void>;
}

/** How to run a program in a mount namespace. */
export interface SpaceRun {
  readonly signal?: AbortSignal | undefined;
  readonly expected?: readonly number[];
  /** Called with the program's output as it arrives. */
  readonly onOutput?: (text: string) => void;
}

/**
 * Opens a mount namespace, which needs root. It is held by a process that ends when this one does, even if this one is
 * killed, so that no mount and no loop device outlives it.
 */
export async function openMountSpace(): Promise<MountSpace> {
  const holder = execa("unshare", ["--mount", "--propagation", "private", "--", "cat"], {
    env: { LC_ALL: "C.UTF-8" },
    buffer: { stdout: false, stderr: true },
    stdin: "pipe",
    reject: false,
  });
  holder.stdin.on("error", () => undefined);
  holder.stdin.write("ready\n");
  // cat answers once the namespace exists.
  await Promise.race([once(holder.stdout, "data"), holder]);
  if (holder.exitCode !== null || holder.pid === undefined) {
    const result = await holder;
    throw new Failure("tool-failed", `cannot create a mount namespace: ${result.stderr || result.shortMessage}`, {
      cause: result,
    });
  }
  holder.stdout.resume();
  const { pid } = holder;
  return {
    async run(command, args, { signal, expected = [0], onOutput }) {
      const child = execa("nsenter", [`--mount=/proc/${pid}/ns/mnt`, "--", command, ...args], {
        env: { LC_ALL: "C.UTF-8", PATH: systemPath(process.env["PATH"]) },
        encoding: "latin1",
        maxBuffer: 1 << 30,
        stdin: "ignore",
        stripFinalNewline: false,
        reject: false,
        ...(signal && { cancelSignal: signal }),
      });
      if (onOutput !== undefined) child.stdout.on("data", (data) => onOutput(String(data)));
      const result = await child;
      if (result.isCanceled || signal?.aborted)
        throw new Failure("cancelled", `${command} was cancelled`, { cause: result });
      if (result.exitCode === undefined || !expected.includes(result.exitCode)) {
        throw new Failure("tool-failed", `${command} failed: ${firstWords(result.stderr) || result.shortMessage}`, {
          cause: result,
        });
      }
      return result.stdout;
    },
    pathOf: (path) => `/proc/${pid}/root${path}`,
    async close() {
      holder.stdin.end();
      await holder;
    },
  };
}

/** The start of a program's error output, as one line. */
function firstWords(text: string): string {
  const lines = text.split("\n").filter((line) => line.trim() !== "" && !/^\w+ 1\.\d+\.\d+ \(/.test(line));
  return lines.slice(0, 3).join("; ").replaceAll(/\p{C}/gu, "?").slice(0, 500);
}
