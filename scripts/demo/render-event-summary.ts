import type { Event } from "../../proto/gen/pallet/v1/event.ts";
import { EventSeverity } from "../../proto/gen/pallet/v1/event.ts";

/** How often each kind of event was recorded, in the order in which they first came; warnings and errors in full. */
export function renderEventSummary(events: readonly Event[]): string {
  const counts = new Map<string, number>();
  for (const { type } of events) counts.set(type, (counts.get(type) ?? 0) + 1);
  const width = Math.max(...[...counts.keys()].map((type) => type.length));
  const lines = [...counts].map(([type, count]) => `  ${type.padEnd(width)}  ${String(count).padStart(5)}`);
  const grave = events.filter(({ severity }) => severity !== EventSeverity.EVENT_SEVERITY_INFO);
  return [...lines, ...grave.map(({ type, message }) => `  ! ${type}: ${message}`)].join("\n");
}
