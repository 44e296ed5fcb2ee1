import { limits } from "../../proto/limits.ts";
import type { NodeId } from "../../proto/names/node-id.ts";
import type { Clock } from "../../proto/time/clock.ts";
import { type RootUser, rootGraceMs } from "../roots/judge-roots.ts";
import { parseRootId, type RootId } from "../roots/root-id.ts";
import {
  afterRegistration,
  afterTold,
  afterUpgrade,
  parseRootRecord,
  type RegisteredRoot,
  type RootRecord,
  usesOf,
} from "./choose-root-uses.ts";
import type { Node } from "./node.ts";
import type { NodeRegistry } from "./node-registry.ts";

/** Which versions of the root filesystem each node may have mounted, remembered over a restart. */
export interface RootLedger {
  /**
   * A boot config that names the version was rendered for the node; undefined for one that is not recorded. On disk before
   * the node can have it, if the disk takes it: nodes have to boot all the same.
   */
  told(id: NodeId | undefined, root: RootId): void;
  /** Every node, with what it may have mounted; all boards that are not recorded, and may be booting, as one. */
  users(): readonly RootUser[];
  close(): void;
}

/** Where records are kept: nothing but text by key. */
export interface RootLedgerRows {
  get(key: string): string | undefined;
  set(key: string, value: string): void;
  remove(key: string): void;
  /** The keys that begin so. */
  keys(prefix: string): readonly string[];
}

const prefix = "root-uses/";
/** Of so many nodes that were forgotten it is remembered what they use: one that runs registers again within seconds. */
const mostForgotten = limits.nodes.forgottenRoots.most;

/**
 * Keeps the ledger up to date with what agents register.
 *
 * @param rootOf the version that a node says it has mounted (the value of "nfsroot="); undefined for none of ours
 */
export function createRootLedger(options: {
  readonly rows: RootLedgerRows;
  readonly nodes: Pick<NodeRegistry, "list" | "isOnline" | "onChange">;
  readonly rootOf: (mountSource: string) => RootId | undefined;
  /** Monotonic. */
  readonly clock: Pick<Clock, "now">;
  readonly log: { error(details: object, message: string): void };
}): RootLedger {
  const { rows, nodes, rootOf, clock, log } = options;
  const known = new Map<NodeId, RootRecord>();
  /** Forgotten nodes, the oldest first. */
  const forgotten = new Set<NodeId>();
  /** What boards that are not recorded were told to boot, and until when such a boot may take. */
  const held = new Map<RootId, number>();
  const keyOf = (id: NodeId): string => `${prefix}${id}`;
  const recordOf = (id: NodeId): RootRecord => {
    const record = known.get(id) ?? parseRootRecord(rows.get(keyOf(id)), parseRootId);
    known.set(id, record);
    return record;
  };
  const keep = (id: NodeId, record: RootRecord): void => {
    if (record === recordOf(id)) return;
    known.set(id, record);
    try {
      rows.set(keyOf(id), JSON.stringify(record));
    } catch (error) {
      log.error(
        { err: error, node: id },
        "could not save which root filesystem a node uses; it is remembered until a restart",
      );
    }
  };
  const hold = (root: RootId): void => void held.set(root, clock.now() + rootGraceMs);
  const drop = (key: string): void => {
    try {
      rows.remove(key);
    } catch (error) {
      // It is dropped at the next start.
      log.error({ err: error, key }, "could not drop which root filesystem a forgotten node used");
    }
  };
  const forget = (id: NodeId): void => {
    const { boot, told } = recordOf(id);
    // A board that has run no agent yet is on its way to one at most.
    if (boot === undefined) {
      for (const root of told) hold(root);
      known.delete(id);
      drop(keyOf(id));
      return;
    }
    forgotten.add(id);
    const [oldest] = forgotten;
    if (forgotten.size <= mostForgotten || oldest === undefined) return;
    forgotten.delete(oldest);
    known.delete(oldest);
    drop(keyOf(oldest));
  };
  const lastOf = ({ agent, facts }: Node): RegisteredRoot | undefined => {
    if (agent === undefined || facts === undefined) return undefined;
    const { nfsRoot } = facts.root;
    const mounted = nfsRoot === undefined ? undefined : (rootOf(nfsRoot) ?? "none");
    return { role: agent.role, bootId: facts.bootId, mounted };
  };
  const present = new Set(nodes.list().map(({ id }) => keyOf(id)));
  for (const key of rows.keys(prefix)) if (!present.has(key)) drop(key);
  for (const node of nodes.list()) keep(node.id, afterUpgrade(recordOf(node.id), lastOf(node)));
  // What is known of a forgotten node stays for a while: it counts for nothing until the node is there again, as it may be
  // at once.
  const stop = nodes.onChange(({ node, cause }) => {
    const last = lastOf(node);
    if (cause === "forgotten") forget(node.id);
    if (cause === "discovered") forgotten.delete(node.id);
    if (cause === "registered" && last !== undefined) keep(node.id, afterRegistration(recordOf(node.id), last));
  });
  return {
    told(id, root) {
      if (id === undefined) hold(root);
      else keep(id, afterTold(recordOf(id), root));
    },
    users() {
      for (const [root, until] of held) if (clock.now() >= until) held.delete(root);
      const users = nodes.list().map((node) => {
        const { id, name } = node;
        return { name, isOnline: nodes.isOnline(node), ...usesOf(recordOf(id), lastOf(node)) };
      });
      if (held.size === 0) return users;
      const strangers = { name: "boards that are not recorded", isOnline: false, isUnknown: false };
      return [...users, { ...strangers, told: [...held.keys()] }];
    },
    close: stop,
  };
}
