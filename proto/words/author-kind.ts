import { EventAuthorKind as WireKind } from "../gen/pallet/v1/event.ts";
import { wireWords } from "./wire-words.ts";

/** What is known for certain of who did something; see pallet.v1.EventAuthorKind. */
export type AuthorKind = "controller" | "socket-user" | "operator" | "agent" | "anonymous";

/** Kinds of authors as they travel. */
export const authorKinds = wireWords<AuthorKind, WireKind>({
  controller: WireKind.EVENT_AUTHOR_KIND_CONTROLLER,
  "socket-user": WireKind.EVENT_AUTHOR_KIND_SOCKET_USER,
  operator: WireKind.EVENT_AUTHOR_KIND_OPERATOR,
  agent: WireKind.EVENT_AUTHOR_KIND_AGENT,
  anonymous: WireKind.EVENT_AUTHOR_KIND_ANONYMOUS,
});
