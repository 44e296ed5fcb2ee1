import type { NodeId } from "../../proto/names/node-id.ts";
import { selectNewlyIndexed, withIndex } from "./choose-index.ts";
import type { Node } from "./node.ts";

/** The nodes on disk. Every call is durable when it returns. */
export interface NodeRows {
  all(): Node[];
  save(node: Node): void;
  /** Saves many at once: one transaction, one flush to disk. */
  saveAll(nodes: readonly Node[]): void;
  remove(id: NodeId): void;
}

/** The nodes in memory and on disk. */
export interface NodeTable {
  get(id: NodeId): Node | undefined;
  all(): Node[];
  readonly size: number;
  /** A change that must survive a power cut: on disk when this returns. */
  save(node: Node): Node;
  /** A change that happens often and may be lost: on disk after the next flush. */
  saveLater(node: Node): Node;
  remove(id: NodeId): void;
  flush(): void;
}

/** Reads all nodes, and writes each change through to `rows`, at once or later. Every accepted node gets an index. */
export function createNodeTable(rows: NodeRows): NodeTable {
  const nodes = new Map<NodeId, Node>(rows.all().map((node) => [node.id, node]));
  const unsaved = new Set<NodeId>();
  const indexed = selectNewlyIndexed([...nodes.values()]);
  rows.saveAll(indexed);
  for (const node of indexed) nodes.set(node.id, node);
  return {
    get: (id) => nodes.get(id),
    all: () => [...nodes.values()],
    get size() {
      return nodes.size;
    },
    save(given) {
      const node = withIndex(given, nodes.values());
      rows.save(node);
      nodes.set(node.id, node);
      unsaved.delete(node.id);
      return node;
    },
    saveLater(given) {
      const node = withIndex(given, nodes.values());
      nodes.set(node.id, node);
      unsaved.add(node.id);
      return node;
    },
    remove(id) {
      rows.remove(id);
      nodes.delete(id);
      unsaved.delete(id);
    },
    flush() {
      rows.saveAll([...unsaved].flatMap((id) => nodes.get(id) ?? []));
      unsaved.clear();
    },
  };
}
