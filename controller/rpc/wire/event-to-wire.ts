import * as wire from "../../../proto/gen/pallet/v1/event.ts";
import type { Event } from "../../events/event.ts";

const severities = {
  info: wire.EventSeverity.EVENT_SEVERITY_INFO,
  warning: wire.EventSeverity.EVENT_SEVERITY_WARNING,
  error: wire.EventSeverity.EVENT_SEVERITY_ERROR,
} as const;

/** An event as it travels. */
export function eventToWire(event: Event): wire.Event {
  return {
    id: BigInt(event.id),
    time: new Date(event.at),
    type: event.type,
    severity: severities[event.severity],
    nodeId: event.nodeId ?? "",
    nodeName: event.nodeName ?? "",
    rolloutId: event.rolloutId ?? "",
    message: event.message,
  };
}
