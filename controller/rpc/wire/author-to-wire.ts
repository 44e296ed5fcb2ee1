import type * as wire from "../../../proto/gen/pallet/v1/event.ts";
import { authorKinds } from "../../../proto/words/author-kind.ts";
import type { Caller } from "../../callers/caller.ts";

/** Converts who did something to the wire. */
export function authorToWire(caller: Caller): wire.EventAuthor {
  const kind = authorKinds.toWire(caller.kind);
  switch (caller.kind) {
    case "socket-user":
      return { kind, name: caller.name, uid: caller.uid };
    case "operator":
      return { kind, name: caller.name, uid: undefined };
    case "agent":
      return { kind, name: caller.nodeId, uid: undefined };
    case "controller":
    case "anonymous":
      return { kind, name: "", uid: undefined };
  }
}
