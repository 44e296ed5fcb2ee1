import type { Event as WireEvent } from "../../../proto/gen/pallet/v1/event.ts";
import { type EventSeverity, eventSeverities } from "../../../proto/words/event-severity.ts";
import { toNumber, toText, toTime } from "./wire-values.ts";

/** An event as `--json` shows it. */
export interface EventView {
  readonly id: number;
  readonly time: string | null;
  readonly type: string;
  readonly severity: EventSeverity | "unknown";
  readonly nodeId: string | null;
  readonly nodeName: string | null;
  readonly rolloutId: string | null;
  readonly message: string;
}

/** Converts from the wire. */
export function viewEvent(event: WireEvent): EventView {
  return {
    id: toNumber(event.id),
    time: toTime(event.time),
    type: event.type,
    severity: eventSeverities.fromWire(event.severity) ?? "unknown",
    nodeId: toText(event.nodeId),
    nodeName: toText(event.nodeName),
    rolloutId: toText(event.rolloutId),
    message: event.message,
  };
}
