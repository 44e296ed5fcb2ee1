import { randomBytes } from "node:crypto";
import { setTimeout as after } from "node:timers";
import { Failure } from "../../../proto/failure.ts";
import { execa } from "../../../proto/linux/leashed-execa.ts";
import type { FilesystemPlace } from "./fat-files.ts";
import { toolEnvironment } from "./read-tool-output.ts";

/** How long a program waits for a further request, in milliseconds. */
const idleMs = 500;
/** debugfs(8) reads its commands in lines of 256 bytes. */
export const longestRequest = 240;

/** What debugfs said to one request. */
export interface Answer {
  readonly output: Buffer;
  readonly errors: string;
}

/** A debugfs(8) that answers one request after the other: to start one for each takes fifty times as long. */
export interface DebugfsSession {
  /**
   * @param request at most `longestRequest` bytes, and no line break
   * @param maximumBytes of the answer; the program is ended for more
   * @throws Failure `unsupported` for more than that, `tool-failed`, `cancelled`
   */
  ask(request: string, maximumBytes: number): Promise<Answer>;
}

/** Opens nothing yet: the program is started when it is asked, and ends when it is not asked any more. */
export function debugfsSession({ imagePath, offsetBytes, signal }: FilesystemPlace): DebugfsSession {
  let running: Running | undefined;
  let last: Promise<unknown> = Promise.resolve();

  async function askNow(request: string, maximumBytes: number): Promise<Answer> {
    if (signal?.aborted === true) throw new Failure("cancelled", "debugfs was cancelled");
    running ??= start(`${imagePath}?offset=${offsetBytes}`, signal);
    try {
      return await running.ask(request, maximumBytes);
    } catch (error) {
      running.end();
      running = undefined;
      throw error;
    }
  }

  return {
    ask(request, maximumBytes) {
      running?.stay();
      const answer = last.then(() => askNow(request, maximumBytes));
      const done = answer.catch(() => undefined);
      last = done;
      void done.then(() => {
        // Nobody has asked meanwhile.
        if (last === done)
          running?.leave(() => {
            running = undefined;
          });
      });
      return answer;
    },
  };
}

interface Running {
  ask(request: string, maximumBytes: number): Promise<Answer>;
  /** Ends it when nobody asks for a while. */
  leave(onEnd: () => void): void;
  stay(): void;
  end(): void;
}

function start(filesystem: string, signal: AbortSignal | undefined): Running {
  const child = execa("debugfs", ["-f", "-", filesystem], {
    buffer: false,
    encoding: "buffer",
    env: toolEnvironment(),
    stdin: "pipe",
    reject: false,
    ...(signal && { cancelSignal: signal }),
  });
  // It may end before it has read what it is told.
  child.stdin.on("error", () => undefined);
  let [output, errors]: [Buffer[], Buffer[]] = [[], []];
  let bytes = 0;
  let look = (): void => undefined;
  child.stdout.on("data", (chunk: Buffer) => {
    output.push(chunk);
    bytes += chunk.length;
    look();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    errors.push(chunk);
    look();
  });
  let idle: NodeJS.Timeout | undefined;

  return {
    async ask(request, maximumBytes) {
      // It repeats each command, and says that it does not know this one: where both are, the answer before them is whole. No
      // image can have the word in a file.
      const word = randomBytes(16).toString("hex");
      const [head, tail] = [Buffer.from(`debugfs: ${request}\n`), Buffer.from(`debugfs: ${word}\n`)];
      [output, errors, bytes] = [[], [], 0];
      child.stdin.write(`${request}\n${word}\n`);
      const answered = new Promise<Answer>((resolve, reject) => {
        look = () => {
          if (bytes > head.length + maximumBytes + tail.length)
            return reject(
              new Failure("unsupported", "a file in the image is too large", {
                expected: `at most ${maximumBytes} bytes`,
                found: "more",
              }),
            );
          if (!endOf(output, tail.length).equals(tail)) return;
          const said = Buffer.concat(errors).toString("utf8");
          if (!said.includes(word)) return;
          const lines = said.split("\n").filter((line) => !line.includes(word));
          const all = Buffer.concat(output);
          if (!all.subarray(0, head.length).equals(head))
            return reject(new Failure("tool-failed", `debugfs answered something else than it was asked: ${request}`));
          resolve({ output: all.subarray(head.length, -tail.length), errors: lines.join("\n") });
        };
      });
      const ended = child.then((result): never => {
        if (result.isCanceled) throw new Failure("cancelled", "debugfs was cancelled");
        throw new Failure("tool-failed", `debugfs could not be run: ${result.shortMessage ?? "it ended"}`, {
          cause: result,
        });
      });
      try {
        return await Promise.race([answered, ended]);
      } finally {
        look = () => undefined;
        ended.catch(() => undefined);
      }
    },
    leave(onEnd) {
      idle = after(() => {
        onEnd();
        child.stdin.end();
      }, idleMs);
    },
    stay: () => clearTimeout(idle),
    end() {
      clearTimeout(idle);
      child.kill("SIGKILL");
    },
  };
}

/** The last bytes of chunks, at most so many. */
function endOf(chunks: readonly Buffer[], bytes: number): Buffer {
  let from = chunks.length;
  for (let length = 0; from > 0 && length < bytes; ) length += chunks[--from]?.length ?? 0;
  return Buffer.concat(chunks.slice(from)).subarray(-bytes);
}
