import { durationToWire } from "../../../proto/duration.ts";
import type { Failure } from "../../../proto/failure.ts";
import { Failure as FailureError } from "../../../proto/failure.ts";
import type * as wire from "../../../proto/gen/pallet/v1/controller.ts";
import type { BoardItem } from "../../../proto/node/board-item.ts";
import type { BootRequest } from "../../nodes/request-log.ts";
import { plainLines, plainText } from "./text-from-wire.ts";

/** Converts the evidence of a node's board; of its agent's part, or why there is none. */
export function boardReportToWire(
  requests: readonly BootRequest[],
  items: readonly BoardItem[] | Failure,
): wire.GetBoardReportResponse {
  const isMissing = items instanceof FailureError;
  return {
    requests: requests.map(({ at, durationMs, bytes, ...request }) => ({
      ...request,
      time: new Date(at),
      duration: durationToWire(durationMs),
      bytes: BigInt(bytes),
    })),
    items: isMissing
      ? []
      : items.map(({ name, value }) => ({ name: plainText(name, 512), value: plainLines(value, 64 * 1024) })),
    itemsMissing: isMissing ? items.message : "",
  };
}
