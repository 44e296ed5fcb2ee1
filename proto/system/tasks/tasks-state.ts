// The namespace, not the name z: of that a bundler can leave out what is not used, 45 languages among it.
import * as z from "zod";
import { Failure } from "../../failure.ts";
import { limits } from "../../limits.ts";
import type { TaskState } from "../../words/task-state.ts";

/** What became of one task; see pallet.v1.TaskResult. Plain data. */
export interface TaskResult {
  readonly name: string;
  readonly state: TaskState;
  /** How often it was started since it had to run: more than once after a power cut. */
  readonly starts: number;
  /** Of its last start and its end, ISO 8601, by the node's clock, which may not have been set. */
  readonly startedAt?: string;
  readonly endedAt?: string;
  /** Of a process that ended by itself. */
  readonly exitCode?: number;
  /** Why it has failed, as a clause for people: "exit code 3". */
  readonly problem?: string;
  /** The last lines that it wrote, of one that has failed. */
  readonly output?: string;
}

/** What a node remembers of its tasks over a power cut. */
export interface TasksState {
  /** Of which config. */
  readonly configDigest: string;
  /** In the order of the tasks. */
  readonly tasks: readonly TaskResult[];
}

/** Where a node keeps it: root's alone, since what tasks write may be anything. */
export const tasksStateFolder = "/var/lib/pallet/tasks";
export const tasksStateFile = "state.json";
export const tasksStateMode = 0o600;

const text = z.string().max(limits.tasks.problemCharacters.most);

const schema = z.object({
  configDigest: z.string().regex(/^[0-9a-f]{64}$/),
  tasks: z
    .array(
      z.object({
        name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/),
        state: z.enum(["waiting", "running", "succeeded", "failed"]),
        starts: z.int().min(0).max(limits.tasks.starts.most),
        startedAt: z.iso.datetime().exactOptional(),
        endedAt: z.iso.datetime().exactOptional(),
        exitCode: z.int().min(0).max(255).exactOptional(),
        problem: text.exactOptional(),
        output: z.string().max(limits.tasks.outputCharacters.most).exactOptional(),
      }),
    )
    .max(limits.tasks.ofNode.most),
});

/** The text of the file: JSON, for people too. */
export function renderTasksState(state: TasksState): string {
  return `${JSON.stringify(state, null, 2)}\n`;
}

/** Parses the text of the file. Throws a Failure "invalid". */
export function parseTasksState(content: string): TasksState {
  let json: unknown;
  try {
    json = JSON.parse(content);
  } catch {
    // Not as the cause: it quotes what tasks have written.
    throw new Failure("invalid", "what is kept of this system's tasks is not JSON");
  }
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  throw new Failure("invalid", `what is kept of this system's tasks is broken: ${z.prettifyError(result.error)}`);
}
