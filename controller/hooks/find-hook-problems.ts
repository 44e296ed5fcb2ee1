import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { Failure, messageOf } from "../../proto/failure.ts";
import { errorCodeOf } from "../../proto/linux/error-code-of.ts";
import type { Hook } from "./hook.ts";
import { readHookSecret } from "./read-hook-secret.ts";

/** Why a hook could not do its work now. */
export interface HookProblem {
  readonly hook: string;
  /** A sentence without its full stop, with the remedy where the file knows one. */
  readonly message: string;
}

/** Looks at what the hooks need of this machine: programs that can be run, and secrets that only their owner reads. */
export async function findHookProblems(hooks: readonly Hook[]): Promise<readonly HookProblem[]> {
  const problems: HookProblem[] = [];
  for (const { name, action } of hooks) {
    const message =
      action.kind === "command" ? await problemOfProgram(action.command[0]) : await problemOfSecret(action.secretFile);
    if (message !== undefined) problems.push({ hook: name, message });
  }
  return problems;
}

async function problemOfProgram(program: string): Promise<string | undefined> {
  try {
    if (!(await stat(program)).isFile()) return `its command ${program} is not a file`;
    await access(program, constants.X_OK);
    return undefined;
  } catch (error) {
    const code = errorCodeOf(error);
    if (code === "ENOENT") return `its command ${program} does not exist`;
    return code === "EACCES" ? `its command ${program} may not be run` : `its command ${program}: ${messageOf(error)}`;
  }
}

async function problemOfSecret(file: string): Promise<string | undefined> {
  try {
    await readHookSecret(file);
    return undefined;
  } catch (error) {
    return Failure.from(error).message;
  }
}
