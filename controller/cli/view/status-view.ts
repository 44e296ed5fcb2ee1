import type { GetStatusResponse } from "../../../proto/gen/pallet/v1/controller.ts";
import type { NodeView } from "./node-view.ts";
import type { RolloutView } from "./rollout-view.ts";
import { toTime } from "./wire-values.ts";

/** The controller and what it looks after, as `--json` shows it. */
export interface StatusView {
  readonly target: string;
  readonly version: string;
  readonly startedAt: string | null;
  readonly grpcAddress: string;
  readonly httpUrl: string;
  readonly tftpAddress: string;
  readonly nodes: { readonly known: number; readonly online: number; readonly accepted: number };
  readonly images: number;
  readonly rollouts: { readonly known: number; readonly running: readonly string[] };
}

/** Puts together what several calls answered. */
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
    httpUrl: status.httpUrl,
    tftpAddress: status.tftpAddress,
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
