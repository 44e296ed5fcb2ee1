import type { AgentRole } from "../../proto/system/agent-program.ts";
import type { RootUses } from "../roots/judge-roots.ts";
import type { RootId } from "../roots/root-id.ts";

/** What is remembered of the root filesystems of one node. */
export interface RootRecord {
  /**
   * The last boot whose agent registered, by its boot id, and the version that it runs from: none for its own disk, or,
   * with `isUnknown`, any.
   */
  readonly boot?: { readonly id: string; readonly root?: RootId; readonly isUnknown?: true };
  /** Versions that boot configs named to it since. */
  readonly told: readonly RootId[];
}

/** Of an agent that registers, what tells from which root filesystem it runs. */
export interface RegisteredRoot {
  readonly role: AgentRole;
  readonly bootId: string;
  /** What it says that it has mounted: one of our versions, none of them, or nothing at all (an older agent). */
  readonly mounted: RootId | "none" | undefined;
}

export const noRootRecord: RootRecord = { told: [] };

/** A boot config that names the version was rendered for the node: that is no proof that it was loaded, nor by whom. */
export function afterTold(record: RootRecord, root: RootId): RootRecord {
  if (record.told.at(-1) === root) return record;
  return { ...record, told: [...record.told.filter((each) => each !== root), root] };
}

/**
 * An agent has registered. The first one of a boot ends what was known of earlier boots. A later one of the same boot says
 * nothing new: what the node was told since may be its next boot.
 */
export function afterRegistration(record: RootRecord, { role, bootId, mounted }: RegisteredRoot): RootRecord {
  if (record.boot?.id === bootId) return record;
  if (role === "resident" || mounted === "none") return { boot: { id: bootId }, told: [] };
  if (mounted !== undefined) return { boot: { id: bootId, root: mounted }, told: [] };
  // An older agent. What it was told since its boot before is all that it can have; most likely the last. Where no boot
  // before is known, it may have been running long before anybody asked for the config in its name.
  const root = record.told.at(-1);
  if (record.boot === undefined || root === undefined)
    return { boot: { id: bootId, isUnknown: true }, told: record.told };
  return { boot: { id: bootId, root }, told: [...notNewest(record), ...(record.boot?.root ? [record.boot.root] : [])] };
}

function notNewest({ told }: RootRecord): readonly RootId[] {
  return told.slice(0, -1);
}

/** What is remembered of a node whose last registration was with an older Pallet. */
export function afterUpgrade(record: RootRecord, last: RegisteredRoot | undefined): RootRecord {
  const isOlder = record.boot === undefined && last?.role === "netboot" && last.mounted === undefined;
  return isOlder ? { ...record, boot: { id: last.bootId, isUnknown: true } } : record;
}

/** What the node may have mounted, by what is remembered, and by the last registration that the node's own record has. */
export function usesOf({ boot, told }: RootRecord, last: RegisteredRoot | undefined): RootUses {
  const running = boot === undefined || boot.root === undefined ? {} : { running: boot.root };
  if (last?.role !== "netboot" || last.bootId === boot?.id)
    return { ...running, told, isUnknown: boot?.isUnknown === true };
  // It registered with an older Pallet, or its record was lost.
  if (last.mounted === undefined) return { ...running, told, isUnknown: true };
  return {
    ...(last.mounted !== "none" && { running: last.mounted }),
    told: [...told, ...Object.values(running)],
    isUnknown: false,
  };
}

/** Reads what `JSON.stringify` made of a record; what it cannot make sense of is as if it was never there. */
export function parseRootRecord(text: string | undefined, parse: (id: string) => RootId | undefined): RootRecord {
  if (text === undefined) return noRootRecord;
  try {
    const { boot, told } = JSON.parse(text) as {
      boot?: { id?: unknown; root?: unknown; isUnknown?: unknown };
      told?: unknown;
    };
    const idOf = (value: unknown) => (typeof value === "string" ? parse(value) : undefined);
    const root = idOf(boot?.root);
    // One that names no version of ours is not believed to name none.
    const isUnknown = boot?.isUnknown === true || (boot?.root !== undefined && root === undefined);
    return {
      ...(typeof boot?.id === "string" && {
        boot: { id: boot.id, ...(root !== undefined && { root }), ...(isUnknown && { isUnknown }) },
      }),
      told: Array.isArray(told) ? told.flatMap((each) => idOf(each) ?? []) : [],
    };
  } catch {
    // Then the node counts as one of which nothing is known, and holds every version.
    return noRootRecord;
  }
}
