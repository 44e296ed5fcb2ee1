import { messageOf } from "../../proto/failure.ts";
import { Refusal } from "../refusal/refusal.ts";
import { resultCode, sqlite } from "./result-code.ts";

/** Whether the disk takes what the store writes. */
export interface WriteWatch {
  /**
   * The same rows, with those of their functions that write watched. One that the disk does not take throws a Refusal
   * (unavailable) that says why and what to do, and has changed nothing.
   *
   * @param written called after each that was written
   */
  guard<Rows extends object>(rows: Rows, writing: readonly (keyof Rows)[], written?: () => void): Rows;
  /** Why the disk does not take anything now, for a person; undefined while it does. */
  trouble(): string | undefined;
}

/** @param folder where the database is, to be named */
export function createWriteWatch(folder: string): WriteWatch {
  let trouble: string | undefined;
  return {
    guard(rows, writing, written = () => undefined) {
      const watched = writing.map((name) => {
        const write = rows[name] as (...args: unknown[]) => unknown;
        const act = (...args: unknown[]): unknown => {
          let result: unknown;
          try {
            result = write(...args);
          } catch (error) {
            const why = explainWriteFailure(folder, error);
            if (why === undefined) throw error;
            trouble = why;
            throw new Refusal("unavailable", why, { reason: "device-error", cause: error });
          }
          trouble = undefined;
          written();
          return result;
        };
        return [name, act];
      });
      return { ...rows, ...Object.fromEntries(watched) };
    },
    trouble: () => trouble,
  };
}

/** Undefined for an error that is not the disk's. */
function explainWriteFailure(folder: string, error: unknown): string | undefined {
  const said = `cannot save to ${folder}: ${messageOf(error)};`;
  switch (resultCode(error)) {
    case sqlite.full:
      return `${said} free some space there, and the controller goes on by itself`;
    case sqlite.readonly:
    case sqlite.cannotOpen:
      return `${said} make it writable (a disk with errors is remounted read-only: see dmesg), and the controller goes on by itself`;
    case sqlite.ioError:
      return `${said} its disk is full or gives errors (see df and dmesg); the controller tries again by itself`;
    default:
      return undefined;
  }
}
