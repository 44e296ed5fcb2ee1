import { Failure, messageOf } from "../../proto/failure.ts";
import { resultCode, sqlite } from "./result-code.ts";

/** What lies beside a state database that cannot be used. */
export interface Beside {
  /** The copy of its nodes, if there is one: its path, and when it was made. */
  readonly copy?: { readonly path: string; readonly madeAt: Date };
  /** Path of its mark. */
  readonly mark: string;
}

/** Says that a state database cannot be used, which file that is, and what to do. A Failure keeps its own remedy. */
export function explainOpenFailure(path: string, error: unknown, beside: Beside): Failure {
  const message = messageOf(error);
  if (error instanceof Failure) {
    if (message.includes(path)) return error;
    return new Failure(error.reason, `cannot use the state database ${path}: ${message}`, { cause: error });
  }
  const remedy = remedyFor(resultCode(error), path, beside);
  return new Failure("internal", `cannot use the state database ${path}: ${message}; ${remedy}`, { cause: error });
}

/** Says that a database knows no node where there was a rack. */
export function describeEmptied(path: string, nodes: number, { copy, mark }: Beside): Failure {
  const were = nodes === 1 ? "1 node" : `${nodes} nodes`;
  return new Failure(
    "internal",
    `the state database ${path} is empty, but it knew ${were} when this controller last changed it: the file, or ` +
      `${path}-wal beside it, was removed or damaged; put them back${orCopy(path, copy)}, or, to begin with an empty ` +
      `state, remove ${mark} (nodes are then discovered anew; those that run an image of the catalogue are restored ` +
      "from their stamps)",
  );
}

/** Says that a database is damaged: what a check of it found. */
export function describeDamage(path: string, found: string, { copy, mark }: Beside): string {
  return `the file is damaged (${found}); move it and ${path}-wal away${orCopy(path, copy)}, or, to begin with an empty state, also remove ${mark}`;
}

function orCopy(path: string, copy: Beside["copy"]): string {
  if (copy === undefined) return "";
  return `, then start from the copy of its nodes of ${copy.madeAt.toISOString()} (cp ${copy.path} ${path})`;
}

function remedyFor(code: number | undefined, path: string, beside: Beside): string {
  switch (code) {
    case sqlite.busy:
    case sqlite.locked:
      return "another controller has it open; stop that one, or give this one another stateDirectory";
    case sqlite.corrupt:
    case sqlite.notDatabase:
      return describeDamage(path, "SQLite cannot read it", beside);
    case sqlite.full:
      return "its disk is full; free some space and start again: nothing that was saved is lost";
    case sqlite.readonly:
      return "its folder or the disk is read-only, or belongs to another user; make it writable and start again";
    case sqlite.ioError:
      return "its disk gives errors, or is full; look at the kernel's log (dmesg) and at df, and start again";
    default:
      return "make sure that stateDirectory exists and that the controller can write to it";
  }
}
