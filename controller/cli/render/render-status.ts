import { insecureWarning } from "../../config/insecure.ts";
import { formatBitRate } from "../../uplink/parse-bit-rate.ts";
import type { StatusView, UplinkView } from "../view/status-view.ts";
import { printable } from "./printable.ts";
import type { Look } from "./style.ts";
import { type Cell, renderFields } from "./table.ts";
import { formatAge, formatCount } from "./units.ts";

const sources: Readonly<Record<UplinkView["source"], string>> = {
  configured: "limits.uplink",
  cap: "limits.total",
  link: "the speed of its interface",
  measured: "more nodes add no throughput",
  assumed: "its interface reports no speed",
  unknown: "for an unknown reason",
};

/** The controller and what it manages. */
export function renderStatus(status: StatusView, look: Look, now: number): string[] {
  const { nodes, rollouts } = status;
  const fields: (readonly [string, Cell | string])[] = [
    ["controller", { text: `running at ${status.target}`, style: "green" }],
    ["version", status.version],
    ["started", status.startedAt === null ? "unknown" : `${status.startedAt} (${formatAge(status.startedAt, now)})`],
    ["grpc", status.insecure ? { text: insecureWarning(status.grpcAddress), style: "red" } : status.grpcAddress],
    ["http", status.httpUrl],
    ...(status.httpsUrl === "" ? [] : [["https", status.httpsUrl] as const]),
    ["tftp", status.tftpAddress],
    ...(status.uplink === null ? [] : [["uplink", describeUplink(status.uplink)] as const]),
    ...status.waitingFor.map(
      (what, index) => [index === 0 ? "waiting for" : "", { text: printable(what), style: "yellow" }] as const,
    ),
    ["nodes", `${nodes.known}: ${nodes.online} online, ${nodes.accepted} accepted`],
    ["images", String(status.images)],
    [
      "rollouts",
      `${formatCount(rollouts.running.length, "rollout")} running${rollouts.running.map((id) => ` ${id}`).join("")}`,
    ],
  ];
  return renderFields(fields, look);
}

/** "412 Mbit/s of 1.00 Gbit/s (the speed of its interface); 8 nodes writing, 3 waiting to write". */
function describeUplink(uplink: UplinkView): string {
  const { bytesPerSecond, capacityBytesPerSecond, source, writingNodes, waitingNodes, mostWritingNodes } = uplink;
  const capacity = capacityBytesPerSecond === null ? "" : ` of ${formatBitRate(capacityBytesPerSecond)}`;
  const rate = `${formatBitRate(bytesPerSecond)}${capacity} (${sources[source]})`;
  const most = mostWritingNodes === null ? "" : ` of at most ${mostWritingNodes}`;
  return `${rate}; ${formatCount(writingNodes, "node")} writing${most}, ${waitingNodes} waiting to write`;
}
