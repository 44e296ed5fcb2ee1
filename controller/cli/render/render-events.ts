import type { EventView } from "../view/event-view.ts";
import { printable } from "./printable.ts";
import { createPaint, type Look, type Style } from "./style.ts";
import { padText } from "./text-width.ts";
import { formatMoment } from "./units.ts";

const styles: Readonly<Partial<Record<EventView["severity"], Style>>> = { warning: "yellow", error: "red" };

/**
 * One event as one line: time, severity if above information, type, node, message. The type is padded, so that a
 * stream of events reads like a table although its lines arrive one by one.
 */
export function renderEvent(event: EventView, look: Look): string {
  const paint = createPaint(look.color);
  const time = event.time === null ? "no time" : formatMoment(Date.parse(event.time));
  const severity = padText(event.severity === "info" ? "" : event.severity, 7);
  // Most messages already name the node.
  const node = event.nodeName ?? event.nodeId ?? "";
  const subject = event.message.includes(node) ? "" : `${printable(node)}: `;
  return [
    paint("dim", time),
    paint(styles[event.severity], severity),
    paint("cyan", padText(printable(event.type), 23)),
    subject + printable(event.message) + paint("dim", authorOf(event)),
  ].join("  ");
}

/** Who did it and from where, where that is not the controller itself, and as far as the message has not said so. */
function authorOf({ by, from, message }: EventView): string {
  const name = by === null || by.kind === "controller" || by.kind === "agent" ? "" : ` by ${by.name ?? by.kind}`;
  const place = from === null || message.includes(from) ? "" : ` from ${from}`;
  return printable(name + place) === "" ? "" : printable(`,${name}${place}`);
}
