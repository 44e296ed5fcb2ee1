import type { RootState } from "../../proto/words/root-state.ts";
import type { Root } from "./read-roots.ts";
import type { RootId } from "./root-id.ts";

/** What a node may have mounted. */
export interface RootUses {
  /** The version that it runs from: its agent said so, or was told to boot it and has registered since. */
  readonly running?: RootId;
  /** Versions that it was told to boot, and may have. */
  readonly told: readonly RootId[];
  /** Whether it may run from any version: its agent is netbooted, and nobody knows from what. */
  readonly isUnknown: boolean;
}

/** A node, with that. */
export interface RootUser extends RootUses {
  readonly name: string;
  readonly isOnline: boolean;
}

/** A version, and who uses it. */
export interface JudgedRoot {
  readonly root: JudgedPart;
  readonly state: RootState;
  /** `isUncertain`: it is only known that the node may. */
  readonly users: readonly { readonly name: string; readonly isOnline: boolean; readonly isUncertain: boolean }[];
}

type JudgedPart = Pick<Root, "id" | "madeAt" | "manifest">;

/**
 * How long after another version became current, or after the controller's start, nothing is removed, in milliseconds: by
 * then a boot that had begun before has registered its agent, or has begun anew. Config, kernel, initrd and mount take
 * minutes on the slowest board.
 */
export const rootGraceMs = 60 * 60_000;

/**
 * Decides which versions can go. A version stays while new boots get it, while any node runs from it or may (a node that
 * is not heard may still run: its cable is out, and its root must be there when it comes back), and while a boot may be
 * under way to it. The one before the current stays too: it bounds what a wrong belief about a node can do, and it is what
 * an operator goes back to.
 *
 * @param roots all versions, oldest first
 * @param current the version that new boots get; undefined if that is not known: then none can go
 * @param quietMs for how long the current one has been that, as far as this controller has seen
 */
export function judgeRoots(
  roots: readonly JudgedPart[],
  { current, quietMs, users }: { current: RootId | undefined; quietMs: number; users: readonly RootUser[] },
): readonly JudgedRoot[] {
  const previous = roots.findLast(({ id, manifest }) => id !== current && manifest.agent !== undefined)?.id;
  return roots.map((root) => {
    const using = users.flatMap(({ name, isOnline, running, told, isUnknown }) => {
      if (running === root.id) return [{ name, isOnline, isUncertain: false }];
      return isUnknown || told.includes(root.id) ? [{ name, isOnline, isUncertain: true }] : [];
    });
    const stateOf = (): RootState => {
      if (root.id === current) return "current";
      if (using.length > 0) return "in-use";
      // Without an agent no node has booted it: it waits to be baked.
      const isKept = root.id === previous || root.manifest.agent === undefined;
      return isKept || current === undefined || quietMs < rootGraceMs ? "kept" : "removable";
    };
    return { root, state: stateOf(), users: using };
  });
}
