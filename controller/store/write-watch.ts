import { statfsSync } from "node:fs";
import { messageOf } from "../../proto/failure.ts";
import { isUnavailable, Refusal } from "../refusal/refusal.ts";
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
  /**
   * Why the disk does not take anything now, for a person; undefined while it does. After a failure, `probe` (one of the
   * guarded functions) is tried: nothing else may be written for a long time, and what is small may fit where other
   * things do not.
   */
  look(probe: () => void): string | undefined;
}

/** How much room a disk that was full must have before it is taken for usable again, in bytes. */
const enoughBytes = 1024 * 1024;

/** @param folder where the database is; undefined when it is in memory */
export function createWriteWatch(folder: string | undefined): WriteWatch {
  let trouble: { readonly why: string; readonly isFull: boolean } | undefined;
  return {
    guard(rows, writing, written = () => undefined) {
      const watched = writing.map((name) => {
        const write = rows[name] as (...args: unknown[]) => unknown;
        const act = (...args: unknown[]): unknown => {
          let result: unknown;
          try {
            result = write(...args);
          } catch (error) {
            // It may be one of these itself.
            if (isUnavailable(error)) throw error;
            const why = folder && explainWriteFailure(folder, error);
            if (!why) throw error;
            trouble = { why, isFull: resultCode(error) === sqlite.full };
            throw new Refusal("unavailable", why, { reason: "device-error", cause: error });
          }
          written();
          return result;
        };
        return [name, act];
      });
      return { ...rows, ...Object.fromEntries(watched) };
    },
    look(probe) {
      if (trouble === undefined || folder === undefined) return undefined;
      if (trouble.isFull && freeBytes(folder) < enoughBytes) return trouble.why;
      try {
        probe();
        trouble = undefined;
      } catch (error) {
        if (!isUnavailable(error)) throw error;
      }
      return trouble?.why;
    },
  };
}

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
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
