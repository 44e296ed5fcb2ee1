// The namespace, not the name z: of that a bundler can leave out what is not used, 45 languages among it.
import * as z from "zod";
import { Failure } from "../../failure.ts";
import { limits } from "../../limits.ts";
import type { TasksFile } from "./render-tasks.ts";
import { tasksSchema } from "./task-schema.ts";

const schema = z.strictObject({
  configDigest: z.string().regex(/^[0-9a-f]{64}$/, "must be 64 hexadecimal digits"),
  tasks: tasksSchema,
});

/**
 * Parses the text of an installed system's tasks file. Throws a Failure "invalid" that says what is wrong with it, and
 * nothing of the secrets in it.
 */
export function parseTasks(text: string): TasksFile {
  const most = limits.tasks.fileCharacters.most;
  if (text.length > most) throw broken(`it has more than ${most} characters`);
  const result = schema.safeParse(parseJson(text));
  if (!result.success) throw broken(z.prettifyError(result.error));
  return result.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The engine's own message quotes the text, which may be a secret: it is not kept as the cause.
    throw broken("it is not JSON");
  }
}

function broken(problem: string): Failure {
  return new Failure("invalid", `the tasks of this system are broken: ${problem}`);
}
