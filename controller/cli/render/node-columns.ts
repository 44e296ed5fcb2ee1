import { compareNames } from "../../../proto/names/natural-order.ts";
import { renderLabels } from "../../nodes/label.ts";
import type { NodeView, TroubleView } from "../view/node-view.ts";
import type { Cell, Column } from "./table.ts";
import { formatAge } from "./units.ts";

/** A column of the table of nodes, and by what nodes are sorted by it. */
export interface NodeColumn extends Column {
  /** When it is shown: always unless told; "labels" with them, "wide" in the wide table alone. */
  readonly shown?: "labels" | "wide";
  readonly cell: (node: NodeView, now: number) => Cell | string;
  /** What the cell's text does not sort by; empty sorts last. */
  readonly sortText?: (node: NodeView) => string;
}

/** What the node runs according to its agent: "agent", or the image of its installed system. */
function runs({ agent }: NodeView): string {
  if (agent === null) return "";
  return agent.role === "resident" ? (agent.installed?.imageName ?? "an installed system") : "agent";
}

/** How a node is doing, in a word or two. */
export function nodeStatus({ online, agent, bootStage, troubles: [trouble] }: NodeView): Cell {
  if (online) return { text: "online", style: "green" };
  if (trouble !== undefined) return { text: describeKind(trouble.kind), style: "red" };
  if (bootStage?.missing) return { text: "boot file missing", style: "red" };
  return agent === null ? { text: "discovered", style: "cyan" } : { text: "silent", style: "yellow" };
}

function describeKind(kind: TroubleView["kind"]): string {
  return kind === "unknown" ? "in trouble" : kind.replaceAll("-", " ");
}

/** The columns of the table of nodes. */
export const nodeColumns: readonly NodeColumn[] = [
  { title: "NAME", cell: ({ name }) => name },
  { title: "STATUS", cell: nodeStatus },
  { title: "ACCEPTED", cell: ({ accepted }) => (accepted ? "yes" : { text: "pending", style: "yellow" }) },
  { title: "RUNS", cell: runs },
  { title: "BOOTS", cell: ({ bootTarget }) => bootTarget },
  { title: "LABELS", shown: "labels", cell: ({ labels }) => renderLabels(labels) },
  {
    title: "SEEN",
    isOptional: true,
    cell: ({ lastSeenAt }, now) => formatAge(lastSeenAt, now),
    sortText: ({ lastSeenAt }) => lastSeenAt ?? "",
  },
  {
    title: "PROVED",
    isOptional: true,
    cell: ({ provedImageName, provedWeakly }) =>
      provedImageName === null ? "" : provedImageName + (provedWeakly ? " (weak)" : ""),
  },
  { title: "MAC", isOptional: true, cell: ({ nodeId }) => nodeId },
  { title: "ADDRESS", isOptional: true, cell: ({ address }) => address ?? "" },
  { title: "MODEL", isOptional: true, shrinkTo: 8, cell: ({ facts }) => facts?.model ?? "" },
  { title: "AGENT", isOptional: true, cell: ({ agent }) => agent?.version ?? "" },
  { title: "SERIAL", isOptional: true, shown: "wide", cell: ({ facts }) => facts?.serial ?? "" },
  { title: "KERNEL", isOptional: true, shown: "wide", cell: ({ facts }) => facts?.kernel ?? "" },
];

/** By what nodes can be sorted: the titles of the columns in small letters. */
export const sortFields: readonly string[] = nodeColumns.map(({ title }) => title.toLowerCase());

/** How a label is named as what to sort by. */
export const labelField = "label:";

/**
 * Nodes in the order of a field: one of `sortFields`, or "label:KEY". Digits count by their value; nodes without such a
 * value come last; those with the same one by name.
 */
export function sortNodes(nodes: readonly NodeView[], field: string): readonly NodeView[] {
  const column = nodeColumns[sortFields.indexOf(field)];
  const key = field.slice(labelField.length);
  const textOf = (node: NodeView): string => {
    if (field.startsWith(labelField)) return Object.hasOwn(node.labels, key) ? (node.labels[key] ?? "") : "";
    const cell = column?.sortText?.(node) ?? column?.cell(node, 0) ?? "";
    return typeof cell === "string" ? cell : cell.text;
  };
  return nodes
    .map((node) => ({ node, text: textOf(node) }))
    .toSorted(
      (one, other) =>
        Number(one.text === "") - Number(other.text === "") ||
        compareNames(one.text, other.text) ||
        compareNames(one.node.name, other.node.name),
    )
    .map(({ node }) => node);
}
