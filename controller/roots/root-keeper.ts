import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../../proto/failure.ts";
import type { Clock } from "../../proto/time/clock.ts";
import { invalid, notFound, precondition } from "../refusal/refusal.ts";
import { isUnfinished, type RootsChange } from "./change-roots.ts";
import { type JudgedRoot, judgeRoots, type RootUser } from "./judge-roots.ts";
import { locateRoots, readCurrentId, readRoots, readSwitchedAt } from "./read-roots.ts";
import { parseRootId, type RootId } from "./root-id.ts";
import { versionsFolder } from "./root-paths.ts";

/** The versions of the root filesystem that this machine exports, and who uses them. */
export interface RootKeeper {
  /** Oldest first; none where nothing is exported, or what has no versions. */
  list(): Promise<readonly JudgedRoot[]>;
  /**
   * Removes a version. Throws a Refusal for one that there is not, that new boots get, or that an online node uses; and,
   * unless `force` is set, for one that a node which is not heard may still use.
   */
  remove(id: string, options: { readonly force: boolean }): Promise<void>;
  /** Removes all that nobody uses any more, and what a builder that was killed has left. Returns what it removed. */
  collect(): Promise<readonly RootId[]>;
}

/** Has a store to itself while `change` runs, as `changeRoots` does, to remove versions. */
export type RemoveRoots = <T>(store: string, change: (roots: Pick<RootsChange, "remove">) => Promise<T>) => Promise<T>;

/**
 * @param rootfs what nfs.rootfs names; undefined where that is nothing
 */
export function createRootKeeper(options: {
  readonly rootfs: string | undefined;
  readonly users: () => readonly RootUser[];
  readonly removeRoots: RemoveRoots;
  readonly clock: Pick<Clock, "now">;
  /** How long this controller has listened is measured by it: a clock that is set makes no silent node a lost one. */
  readonly monotonic: Pick<Clock, "now">;
}): RootKeeper {
  const { rootfs, users, removeRoots, clock, monotonic } = options;
  const startedAt = monotonic.now();

  const storeOf = async (): Promise<string | undefined> => {
    const location = rootfs === undefined ? undefined : await locateRoots(rootfs);
    return location?.kind === "store" ? location.store : undefined;
  };
  const judge = async (store: string): Promise<readonly JudgedRoot[]> => {
    const quietMs = Math.min(monotonic.now() - startedAt, clock.now() - ((await readSwitchedAt(store)) ?? 0));
    const [roots, current] = [await readRoots(store), await readCurrentId(store)];
    return judgeRoots(roots, { current, quietMs, users: users() });
  };

  return {
    async list() {
      const store = await storeOf();
      return store === undefined ? [] : judge(store);
    },

    async remove(text, { force }) {
      const id = parseRootId(text);
      if (id === undefined)
        throw invalid(
          `${JSON.stringify(text)} is no version of the root filesystem; controller rootfs list shows them`,
        );
      const store = await storeOf();
      const missing = () =>
        notFound(`there is no version ${id} of the root filesystem; controller rootfs list shows them`);
      if (store === undefined) throw missing();
      // Judged by the one who has the store: nobody can make it current meanwhile.
      await removeRoots(store, async (roots) => {
        const judged = (await judge(store)).find(({ root }) => root.id === id);
        if (judged === undefined) throw missing();
        refuse(judged, force);
        await roots.remove(id);
      });
    },

    async collect() {
      const store = await storeOf();
      if (store === undefined) return [];
      const left = await readdir(join(store, versionsFolder)).catch(() => []);
      const isIdle = !left.some(isUnfinished) && !(await judge(store)).some(({ state }) => state === "removable");
      if (isIdle) return [];
      try {
        return await removeRoots(store, async (roots) => {
          const removable = (await judge(store))
            .filter(({ state }) => state === "removable")
            .map(({ root }) => root.id);
          for (const id of removable) await roots.remove(id);
          return removable;
        });
      } catch (error) {
        // A builder is at it: the next time, then.
        if (error instanceof Failure && error.reason === "in-use") return [];
        throw error;
      }
    },
  };
}

/** Throws a Refusal that says who is in the way of a removal, and what to do. */
function refuse({ root, state, users }: JudgedRoot, force: boolean): void {
  const { id } = root;
  if (state === "current")
    throw precondition(`new boots get ${id}; make another version first (controller rootfs build), then remove it`);
  const running = users.filter(({ isOnline, isUncertain }) => isOnline && !isUncertain).map(({ name }) => name);
  if (running.length > 0)
    throw precondition(`${id} is in use by ${listed(running)}: reboot them (controller reboot NODE), then remove it`);
  if (force) return;
  const maybe = users.filter(({ isOnline }) => isOnline).map(({ name }) => name);
  if (maybe.length > 0)
    throw precondition(
      `${listed(maybe)} may run from ${id}, and would hang: reboot them (controller reboot NODE); --force removes it all the same`,
    );
  const silent = users.map(({ name }) => name);
  if (silent.length > 0)
    throw precondition(
      `${listed(silent)}, not heard now, may still run from ${id} and would hang when heard again: power them off, or forget ` +
        "them (controller node forget NODE); --force removes it all the same",
    );
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(", ");
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}
