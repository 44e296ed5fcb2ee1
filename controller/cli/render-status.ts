import type { Look } from "./style.ts";
import { type Cell, renderFields } from "./table.ts";
import { formatAge, formatCount } from "./units.ts";
import type { StatusView } from "./view/status-view.ts";

/** The controller and what it looks after. */
export function renderStatus(status: StatusView, look: Look, now: number): string[] {
  const { nodes, rollouts } = status;
  const fields: (readonly [string, Cell | string])[] = [
    ["controller", { text: `running at ${status.target}`, style: "green" }],
    ["version", status.version],
    ["started", status.startedAt === null ? "unknown" : `${status.startedAt} (${formatAge(status.startedAt, now)})`],
    ["grpc", status.grpcAddress],
    ["http", status.httpUrl],
    ["tftp", status.tftpAddress],
    ["nodes", `${nodes.known}: ${nodes.online} online, ${nodes.accepted} accepted`],
    ["images", String(status.images)],
    [
      "rollouts",
      `${formatCount(rollouts.running.length, "rollout")} running${rollouts.running.map((id) => ` ${id}`).join("")}`,
    ],
  ];
  return renderFields(fields, look);
}
