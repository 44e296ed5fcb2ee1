import type { GetStatusResponse, Uplink } from "../../../proto/gen/pallet/v1/controller.ts";
import { type CapacitySource, uplinkSources } from "../../../proto/words/uplink-source.ts";
import type { NodeView } from "./node-view.ts";
import type { RolloutView } from "./rollout-view.ts";
import { toNumber, toTime } from "./wire-values.ts";

/** What is sent to nodes, as `--json` shows it. */
export interface UplinkView {
  readonly bytesPerSecond: number;
  /** Null if unknown. */
  readonly capacityBytesPerSecond: number | null;
  readonly source: CapacitySource | "unknown";
  readonly writingNodes: number;
  readonly waitingNodes: number;
  /** Null if it follows from the uplink's capacity. */
  readonly mostWritingNodes: number | null;
}

/** The controller and what it manages, as `--json` shows it. */
export interface StatusView {
  readonly target: string;
  readonly version: string;
  readonly startedAt: string | null;
  readonly grpcAddress: string;
  /** Whether the controller accepts every call there, from anyone who can reach it. */
  readonly insecure: boolean;
  readonly httpUrl: string;
  /** Where images are; empty where HTTP has them (insecure). */
  readonly httpsUrl: string;
  readonly tftpAddress: string;
  readonly uplink: UplinkView | null;
  readonly waitingFor: readonly string[];
  readonly nodes: { readonly known: number; readonly online: number; readonly accepted: number };
  readonly images: number;
  readonly rollouts: { readonly known: number; readonly running: readonly string[] };
}

/** Combines the answers of several calls. */
export function viewStatus(
  target: string,
  status: GetStatusResponse,
  nodes: readonly NodeView[],
  imageCount: number,
  rollouts: readonly RolloutView[],
): StatusView {
  return {
    target,
    version: status.version,
    startedAt: toTime(status.startedAt),
    grpcAddress: status.grpcAddress,
    insecure: status.insecure,
    httpUrl: status.httpUrl,
    httpsUrl: status.httpsUrl,
    tftpAddress: status.tftpAddress,
    uplink: status.uplink ? viewUplink(status.uplink) : null,
    waitingFor: status.waitingFor,
    nodes: {
      known: nodes.length,
      online: nodes.filter(({ online }) => online).length,
      accepted: nodes.filter(({ accepted }) => accepted).length,
    },
    images: imageCount,
    rollouts: {
      known: rollouts.length,
      running: rollouts.filter(({ state }) => state === "running").map(({ rolloutId }) => rolloutId),
    },
  };
}

function viewUplink(uplink: Uplink): UplinkView {
  return {
    bytesPerSecond: toNumber(uplink.bytesPerSecond),
    capacityBytesPerSecond: uplink.capacityBytesPerSecond === 0n ? null : toNumber(uplink.capacityBytesPerSecond),
    source: uplinkSources.fromWire(uplink.source) ?? "unknown",
    writingNodes: uplink.writingNodes,
    waitingNodes: uplink.waitingNodes,
    mostWritingNodes: uplink.mostWritingNodes === 0 ? null : uplink.mostWritingNodes,
  };
}
