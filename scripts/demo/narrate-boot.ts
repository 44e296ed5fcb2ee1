import type { Event } from "../../proto/gen/pallet/v1/event.ts";
import type { Rack } from "../../test/rack/rack.ts";

/** Kinds of events that tell how far a booting node has come. */
const told = new Set(["node-discovered", "boot-config-rendered", "node-registered"]);

/** Prints what the controller records while the nodes boot, until all have registered. */
export async function narrateBoot(rack: Rack, say: (line: string) => void): Promise<void> {
  const missing = new Set(rack.boards.map(({ mac }) => mac));
  await rack.client.event(
    (event) => {
      if (told.has(event.type)) say(describe(event));
      if (event.type === "node-registered") missing.delete(event.nodeId);
      return missing.size === 0;
    },
    { timeoutMs: 180_000 },
  );
}

function describe(event: Event): string {
  return `  ${event.time?.toISOString().slice(11, 23) ?? ""}  ${event.type.padEnd(20)}  ${event.message}`;
}
