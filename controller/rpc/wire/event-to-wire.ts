import type * as wire from "../../../proto/gen/pallet/v1/event.ts";
import { eventSeverities } from "../../../proto/words/event-severity.ts";
import type { Event } from "../../events/event.ts";
import { authorToWire } from "./author-to-wire.ts";

/** Converts an event to the wire. */
export function eventToWire(event: Event): wire.Event {
  return {
    id: BigInt(event.id),
    time: new Date(event.at),
    type: event.type,
    severity: eventSeverities.toWire(event.severity),
    nodeId: event.nodeId ?? "",
    nodeName: event.nodeName ?? "",
    rolloutId: event.rolloutId ?? "",
    message: event.message,
    by: event.by && authorToWire(event.by),
    from: event.from ?? "",
  };
}
