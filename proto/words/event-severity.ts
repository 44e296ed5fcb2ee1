import { EventSeverity as WireSeverity } from "../gen/pallet/v1/event.ts";
import { wireWords } from "./wire-words.ts";

/** How much an event matters; see pallet.v1.EventSeverity. */
export type EventSeverity = "info" | "warning" | "error";

/** Severities as they travel. */
export const eventSeverities = wireWords<EventSeverity, WireSeverity>({
  info: WireSeverity.EVENT_SEVERITY_INFO,
  warning: WireSeverity.EVENT_SEVERITY_WARNING,
  error: WireSeverity.EVENT_SEVERITY_ERROR,
});
