import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { mtoolsEnvironment } from "../../../proto/disk/mtools.ts";
import { Failure } from "../../../proto/failure.ts";
import { execa } from "../../../proto/linux/leashed-execa.ts";
import { systemPath } from "../../../proto/linux/system-path.ts";

/** A run of a program whose standard output is content from inside an image. */
export interface ToolRun {
  readonly command: string;
  readonly args: readonly string[];
  /** More output than this is refused, or cut off where `excess` says so. */
  readonly maximumBytes: number;
  /** "cut": only the first bytes are wanted; the program is ended when they are there. Default "refused". */
  readonly excess?: "refused" | "cut" | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a program said; `output` is empty when it went to a file. */
export interface ToolOutput {
  readonly output: Buffer;
  readonly errors: string;
  readonly exitCode: number;
}

/** The environment of such programs. No pager is started for debugfs(8), which takes one even where nobody reads. */
export function toolEnvironment(): Readonly<Record<string, string>> {
  return {
    ...mtoolsEnvironment,
    LC_ALL: "C.UTF-8",
    DEBUGFS_PAGER: "__none__",
    PATH: systemPath(process.env["PATH"]),
  };
}

/**
 * Runs a program and takes its standard output into memory, or into the file `destination`. Throws Failure
 * `unsupported` when there is more than allowed, `tool-failed` when the program cannot be run at all.
 */
export async function readToolOutput(run: ToolRun, destination?: string): Promise<ToolOutput> {
  const { command, args, maximumBytes, excess = "refused", signal } = run;
  const child = execa(command, [...args], {
    buffer: { stdout: false, stderr: true },
    encoding: "buffer",
    env: toolEnvironment(),
    stdin: "ignore",
    reject: false,
    ...(signal && { cancelSignal: signal }),
  });
  const parts: Buffer[] = [];
  let bytes = 0;
  const limit = (chunk: Buffer): Buffer => {
    const room = maximumBytes - bytes;
    bytes += chunk.length;
    if (bytes <= maximumBytes) return chunk;
    if (excess === "cut") return chunk.subarray(0, room);
    throw new Failure("unsupported", "a file in the image is too large", {
      expected: `at most ${maximumBytes} bytes`,
      found: "more",
    });
  };
  try {
    if (destination === undefined) {
      for await (const chunk of child.stdout) {
        parts.push(limit(chunk));
        if (excess === "cut" && bytes >= maximumBytes) break;
      }
    } else {
      const limited = async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) yield limit(chunk);
      };
      await pipeline(child.stdout, limited, createWriteStream(destination, { flags: "wx" }));
    }
  } catch (error) {
    child.kill("SIGKILL");
    await child;
    throw error;
  }
  const isCut = excess === "cut" && bytes >= maximumBytes;
  if (isCut) child.kill("SIGKILL");
  const result = await child;
  if (isCut) return { output: Buffer.concat(parts), errors: "", exitCode: 0 };
  if (result.isCanceled) throw new Failure("cancelled", `${command} was cancelled`);
  if (result.exitCode === undefined) {
    throw new Failure("tool-failed", `${command} could not be run: ${result.shortMessage}`, { cause: result });
  }
  return {
    output: Buffer.concat(parts),
    errors: Buffer.from(result.stderr).toString("utf8"),
    exitCode: result.exitCode,
  };
}
