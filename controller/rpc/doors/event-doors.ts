import type * as wire from "../../../proto/gen/pallet/v1/controller.ts";
import type { EventSelection } from "../../events/event-log.ts";
import { chooseAuthors } from "../../nodes/choose-authors.ts";
import { eventToWire } from "../wire/event-to-wire.ts";
import { rolloutIdFromWire } from "../wire/rollout-from-wire.ts";
import { type CallContext, type CallHost, handleServerStream } from "./handle-call.ts";
import type { ControllerParts } from "./parts.ts";

/** The door to the event log. */
export function createEventDoors(
  host: CallHost,
  { events, nodes }: Pick<ControllerParts, "events" | "nodes">,
): Pick<wire.ControllerServiceServer, "streamEvents"> {
  async function* stream(
    { afterId, follow, node, nodeIds, rolloutId, limit, by }: wire.StreamEventsRequest,
    { signal }: CallContext,
  ): AsyncGenerator<wire.StreamEventsResponse> {
    const selection: EventSelection = {
      afterId: Number(afterId),
      limit,
      ...(node !== "" && { nodeId: nodes.require(node).id }),
      ...(nodeIds.length > 0 && { nodeIds: nodeIds.map((id) => nodes.require(id).id) }),
      ...(rolloutId !== "" && { rolloutId: rolloutIdFromWire(rolloutId) }),
      ...(by !== "" && { by: chooseAuthors(by, nodes.list()) }),
    };
    const chosen = follow ? events.follow(selection, signal) : events.list(selection);
    for await (const event of chosen) yield { event: eventToWire(event) };
  }

  return { streamEvents: handleServerStream(host, stream) };
}
