import type { EventAuthor as WireAuthor, Event as WireEvent } from "../../../proto/gen/pallet/v1/event.ts";
import { type AuthorKind, authorKinds } from "../../../proto/words/author-kind.ts";
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
  /** Null in events from before authors were kept. */
  readonly by: AuthorView | null;
  readonly from: string | null;
}

/** Who did something, as `--json` shows it. */
export interface AuthorView {
  readonly kind: AuthorKind | "unknown";
  /** Name of the user or operator, or id of the agent's node. */
  readonly name: string | null;
  readonly uid: number | null;
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
    by: event.by === undefined ? null : viewAuthor(event.by),
    from: toText(event.from),
  };
}

function viewAuthor({ kind, name, uid }: WireAuthor): AuthorView {
  return { kind: authorKinds.fromWire(kind) ?? "unknown", name: toText(name), uid: uid ?? null };
}
