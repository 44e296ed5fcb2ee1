import type { NodeId } from "../../proto/names/node-id.ts";
import type { RootUser } from "../roots/judge-roots.ts";
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
   * A boot config that names the version was rendered for the node. On disk before the node can have it, if the disk takes
   * it: nodes have to boot all the same.
   */
  told(id: NodeId, root: RootId): void;
  /** Every node, with what it may have mounted. */
  users(): readonly RootUser[];
  close(): void;
}

/** Where records are kept: nothing but text by key. */
export interface RootLedgerRows {
  get(key: string): string | undefined;
  set(key: string, value: string): void;
}

/**
 * Keeps the ledger up to date with what agents register.
 *
 * @param rootOf the version that a node says it has mounted (the value of "nfsroot="); undefined for none of ours
 */
export function createRootLedger(options: {
  readonly rows: RootLedgerRows;
  readonly nodes: Pick<NodeRegistry, "list" | "isOnline" | "onChange">;
  readonly rootOf: (mountSource: string) => RootId | undefined;
  readonly log: { error(details: object, message: string): void };
}): RootLedger {
  const { rows, nodes, rootOf, log } = options;
  const known = new Map<NodeId, RootRecord>();
  const keyOf = (id: NodeId): string => `root-uses/${id}`;
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
  const lastOf = ({ agent, facts }: Node): RegisteredRoot | undefined => {
    if (agent === undefined || facts === undefined) return undefined;
    const { nfsRoot } = facts.root;
    const mounted = nfsRoot === undefined ? undefined : (rootOf(nfsRoot) ?? "none");
    return { role: agent.role, bootId: facts.bootId, mounted };
  };
  for (const node of nodes.list()) keep(node.id, afterUpgrade(recordOf(node.id), lastOf(node)));
  // What is known of a forgotten node stays: it counts for nothing until the node is there again, as it may be at once.
  const stop = nodes.onChange(({ node, cause }) => {
    const last = lastOf(node);
    if (cause === "registered" && last !== undefined) keep(node.id, afterRegistration(recordOf(node.id), last));
  });
  return {
    told: (id, root) => keep(id, afterTold(recordOf(id), root)),
    users: () =>
      nodes.list().map((node) => {
        const { id, name } = node;
        return { name, isOnline: nodes.isOnline(node), ...usesOf(recordOf(id), lastOf(node)) };
      }),
    close: stop,
  };
}
