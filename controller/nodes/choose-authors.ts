import { parseMacAddress } from "../../proto/names/node-id.ts";
import type { AuthorKind } from "../../proto/words/author-kind.ts";
import type { AuthorFilter } from "../events/event-log.ts";
import { findNode } from "./find-node.ts";
import type { Node } from "./node.ts";

const kinds: readonly AuthorKind[] = ["controller", "socket-user", "operator", "agent", "anonymous"];

/**
 * Whose events a person means by a word: a kind of author, the name or number of a user, the name of an operator, or a
 * node, for its agent. Somebody who has done nothing yet, or is gone, can be named all the same. Throws a Failure when
 * several nodes are meant.
 */
export function chooseAuthors(text: string, nodes: Iterable<Node>): AuthorFilter {
  const kind = kinds.find((word) => word === text);
  if (kind !== undefined) return { kind };
  const nodeId = findNode(nodes, text)?.id ?? parseMacAddress(text);
  return {
    name: text,
    ...(/^\d{1,10}$/.test(text) && { uid: Number(text) }),
    ...(nodeId !== undefined && { nodeId }),
  };
}
