import type { DatabaseSync } from "node:sqlite";
import type { NodeId } from "../../proto/names/node-id.ts";
import type { AgentInfo } from "../../proto/node/agent-info.ts";
import type { NodeFacts } from "../../proto/node/node-facts.ts";
import type { ImageDigest } from "../../proto/pack/digest.ts";
import type { BootRun } from "../nodes/judge-boots.ts";
import type { Board, Installation, Node } from "../nodes/node.ts";
import type { NodeRows } from "../nodes/node-table.ts";
import { numberOf, optionalNumberOf, optionalTextOf, type Row, textOf } from "./row.ts";
import { inTransaction } from "./transaction.ts";

const columns = [
  "id",
  "name",
  "accepted",
  "boot_target",
  "boot_image_digest",
  "address",
  "boot_address",
  "facts",
  "agent",
  "last_seen_at",
  "agent_seen_at",
  "boot_stage_path",
  "boot_stage_at",
  "discovered_at",
  "proved_image_name",
  "proved_image_digest",
  "proved_weakly",
  "installation",
  "labels",
  "boots",
  "board",
  "node_index",
] as const;

/** Keeps nodes in the table "nodes". */
export function createNodeRows(database: DatabaseSync): NodeRows {
  const selectAll = database.prepare(`SELECT ${columns.join(", ")} FROM nodes ORDER BY name`);
  const upsert = database.prepare(
    `INSERT INTO nodes (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})
     ON CONFLICT (id) DO UPDATE SET ${columns
       .slice(1)
       .map((column) => `${column} = excluded.${column}`)
       .join(", ")}`,
  );
  const remove = database.prepare("DELETE FROM nodes WHERE id = ?");
  const save = (node: Node): void => {
    upsert.run(...valuesOf(node));
  };
  return {
    all: () => selectAll.all().map(nodeOf),
    save,
    saveAll(nodes) {
      if (nodes.length > 0) inTransaction(database, () => nodes.forEach(save));
    },
    remove(id) {
      remove.run(id);
    },
  };
}

/** In the order of `columns`. */
function valuesOf(node: Node): (string | number | null)[] {
  return [
    node.id,
    node.name,
    node.accepted ? 1 : 0,
    node.bootTarget.kind,
    node.bootTarget.kind === "local" ? node.bootTarget.imageDigest : null,
    node.address ?? null,
    node.bootAddress ?? null,
    node.facts === undefined ? null : JSON.stringify(node.facts),
    node.agent === undefined ? null : JSON.stringify(node.agent),
    node.lastSeenAt,
    node.agentSeenAt ?? null,
    node.bootStage?.path ?? null,
    node.bootStage?.at ?? null,
    node.discoveredAt,
    node.proved?.imageName ?? null,
    node.proved?.imageDigest ?? null,
    node.proved?.kind === "weak" ? 1 : 0,
    node.installation === undefined ? null : JSON.stringify(node.installation),
    node.labels === undefined ? null : JSON.stringify(node.labels),
    node.boots === undefined ? null : JSON.stringify(node.boots),
    node.board === undefined ? null : JSON.stringify(node.board),
    node.index ?? null,
  ];
}

function nodeOf(row: Row): Node {
  const imageDigest = optionalTextOf(row, "boot_image_digest") as ImageDigest | undefined;
  const address = optionalTextOf(row, "address");
  const bootAddress = optionalTextOf(row, "boot_address");
  const facts = optionalTextOf(row, "facts");
  const agent = optionalTextOf(row, "agent");
  const agentSeenAt = optionalNumberOf(row, "agent_seen_at");
  const stagePath = optionalTextOf(row, "boot_stage_path");
  const installation = optionalTextOf(row, "installation");
  const labels = optionalTextOf(row, "labels");
  const boots = optionalTextOf(row, "boots");
  const board = optionalTextOf(row, "board");
  const index = optionalNumberOf(row, "node_index");
  const provedName = optionalTextOf(row, "proved_image_name");
  return {
    id: textOf(row, "id") as NodeId,
    name: textOf(row, "name"),
    accepted: numberOf(row, "accepted") === 1,
    bootTarget: imageDigest === undefined ? { kind: "agent" } : { kind: "local", imageDigest },
    lastSeenAt: numberOf(row, "last_seen_at"),
    discoveredAt: numberOf(row, "discovered_at"),
    ...(address !== undefined && { address }),
    ...(bootAddress !== undefined && { bootAddress }),
    ...(facts !== undefined && { facts: JSON.parse(facts) as NodeFacts }),
    ...(agent !== undefined && { agent: JSON.parse(agent) as AgentInfo }),
    ...(agentSeenAt !== undefined && { agentSeenAt }),
    ...(stagePath !== undefined && { bootStage: { path: stagePath, at: numberOf(row, "boot_stage_at") } }),
    ...(provedName !== undefined && {
      proved: {
        imageName: provedName,
        imageDigest: textOf(row, "proved_image_digest") as ImageDigest,
        kind: numberOf(row, "proved_weakly") === 1 ? "weak" : "resident",
      },
    }),
    ...(labels !== undefined && { labels: JSON.parse(labels) as Record<string, string> }),
    ...(installation !== undefined && { installation: JSON.parse(installation) as Installation }),
    ...(boots !== undefined && { boots: JSON.parse(boots) as BootRun }),
    ...(index !== undefined && { index }),
    ...(board !== undefined && { board: JSON.parse(board) as Board }),
  };
}
