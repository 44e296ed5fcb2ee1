import type { NewEvent } from "../../events/event.ts";
import type { World } from "./executor.ts";

/**
 * Adds an event of a reimage or a rollout. One that cannot be kept goes to the log: that must not leave a node
 * half way.
 */
export function recordEvent({ events, log }: Pick<World, "events" | "log">, event: NewEvent): void {
  try {
    events.append(event);
  } catch (error) {
    const { type, nodeName: node, rolloutId: rollout, message } = event;
    log.error({ err: error, type, node, rollout, message }, "could not record an event");
  }
}
